"""`env.variable`: one variable of the environment that scripts may read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from moonq.registry.common import Config
from moonq.registry.kind import Kind


class Variable(Config):
    """`env.variable`: one variable of the environment that scripts may read."""

    variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    default: str | None = None


KIND = Kind("env.variable", Variable)
