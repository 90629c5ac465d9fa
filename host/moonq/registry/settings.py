"""`moonq.yaml`: settings of the process, beside the entries; all of it is optional."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from moonq.registry.common import Strict
from moonq.registry.fields import Flag

FILE = "moonq.yaml"
Level = Literal["debug", "info", "warn", "error"]


class LogSettings(Strict):
    """What is written to the log."""

    level: Level = "info"
    levels: dict[str, Level] = Field(default_factory=dict, description="by the logger's name")


class SecuritySettings(Strict):
    """Who may do what, where policies say nothing."""

    strict_mode: Flag = Field(
        False, description="who has no actor or no scope may do nothing, instead of everything"
    )
    actions: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list,
        description="actions of the project's own, which its scripts ask policies about",
    )


class Common(Strict):
    """How this process behaves, whatever its entries are."""

    name: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="default: the folder's name"
    )
    production: Flag = Field(False, description="consoles are read-only until told otherwise")
    log: LogSettings = Field(default_factory=LogSettings)
    security: SecuritySettings = Field(default_factory=SecuritySettings)
    redact: list[str] = Field(
        default_factory=list, description="field names whose values are never shown"
    )


class Profile(Common):
    """What is laid over settings and entries where the profile is chosen."""

    entries: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="by id, the fields that differ"
    )


class Settings(Common):
    """All of `moonq.yaml`, with one profile laid over it or none."""

    profiles: dict[str, Profile] = Field(
        default_factory=dict, description="chosen by `--profile` or MOONQ_PROFILE"
    )
