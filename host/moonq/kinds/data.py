"""`registry.entry`: whatever fields you like, for scripts to find."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict

from moonq.registry.common import Config
from moonq.registry.kind import Kind


class Data(Config):
    """`registry.entry`: whatever fields you like, for scripts to find."""

    example: ClassVar[str] = """\
name: rates
kind: registry.entry
meta: {type: prices}
vat: 0.19
"""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, defer_build=True)


KIND = Kind("registry.entry", Data)
