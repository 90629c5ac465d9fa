"""`moonq.yaml`: settings of the process, beside the entries; all of it is optional."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from moonq.registry.common import Strict
from moonq.registry.fields import Flag

FILE = "moonq.yaml"
Level = Literal["debug", "info", "warn", "error"]


class LogSettings(Strict):
    """What is written to the log."""

    level: Level = "info"
    levels: dict[str, Level] = Field(default_factory=dict, description="by the logger's name")


class Settings(Strict):
    """How this process behaves, whatever its entries are."""

    name: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="default: the folder's name"
    )
    production: Flag = Field(False, description="consoles are read-only until told otherwise")
    log: LogSettings = Field(default_factory=LogSettings)
    redact: list[str] = Field(
        default_factory=list, description="field names whose values are never shown"
    )
