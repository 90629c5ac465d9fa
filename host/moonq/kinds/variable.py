"""`env.variable`: one variable of the environment that scripts may read."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import Field, field_validator

from moonq.registry.common import Config
from moonq.registry.fields import wrong
from moonq.registry.kind import Kind

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Variable(Config):
    """`env.variable`: one variable of the environment that scripts may read."""

    example: ClassVar[str] = """\
name: bank_url
kind: env.variable
variable: BANK_URL
default: https://bank.example
"""

    variable: str = Field(description="What it is called in the environment, such as `BANK_URL`.")
    default: str | None = Field(
        None, description="What scripts get where it is not set; unset: they get nil."
    )

    @field_validator("variable")
    @classmethod
    def _is_a_name(cls, variable: str) -> str:
        if not _NAME.fullmatch(variable):
            raise wrong(
                f"`{variable}` is no name of an environment variable",
                help="use letters, digits and `_`, and begin with no digit",
            )
        return variable


KIND = Kind("env.variable", Variable)
