"""`registry.entry`: whatever fields you like, for scripts to find."""

from __future__ import annotations

from pydantic import ConfigDict

from moonq.registry.common import Config
from moonq.registry.kind import Kind


class Data(Config):
    """`registry.entry`: whatever fields you like, for scripts to find."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, defer_build=True)


KIND = Kind("registry.entry", Data)
