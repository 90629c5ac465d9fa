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

    level: Level = Field("info", description="The least that is written.")
    levels: dict[str, Level] = Field(
        default_factory=dict,
        description="The least that is written, by the logger's name: `{app.orders: debug}`.",
    )


class SecuritySettings(Strict):
    """Who may do what, where policies say nothing."""

    strict_mode: Flag = Field(
        False, description="Who has no actor or no policy may do nothing, instead of everything."
    )
    actions: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list,
        description="Actions of the project's own, which its scripts ask policies about.",
    )


class Common(Strict):
    """How this process behaves, whatever its entries are."""

    name: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="What the project is called; unset: as its folder is."
    )
    production: Flag = Field(
        False, description="Whether real work depends on it: sessions may only look until they ask."
    )
    log: LogSettings = Field(default_factory=LogSettings, description="What is written to the log.")
    security: SecuritySettings = Field(
        default_factory=SecuritySettings, description="Who may do what, where policies say nothing."
    )
    redact: list[str] = Field(
        default_factory=list,
        description="Fields of bodies and headers whose values are covered where they are shown.",
    )


class Profile(Common):
    """What is laid over settings and entries where the profile is chosen."""

    entries: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="By the id of an entry, the fields that differ."
    )


class Settings(Common):
    """All of `moonq.yaml`, with one profile laid over it or none."""

    profiles: dict[str, Profile] = Field(
        default_factory=dict,
        description="Profiles by their names, chosen by `--profile` or `MOONQ_PROFILE`.",
    )
