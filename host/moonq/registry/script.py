"""The fields of entries that are Lua text: where it is, what it may load, what a call may use."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from moonq.model import DEFAULT_MEMORY, DEFAULT_TIMEOUT
from moonq.registry.common import Config, Strict
from moonq.registry.fields import REFERS, Also, LimitOrNone, Ref, Size, bytes_between, wrong

MIB = 1024**2
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


#: What a script may import.
IMPORTS = Ref(
    ("library.lua", "module.python"),
    instead={"function.lua": 'make `{0}` a library.lua, or call it: funcs.call("{0}")'},
)


class Limits(Strict):
    """What one call may use."""

    timeout: LimitOrNone = Field(
        DEFAULT_TIMEOUT, description="How long a call may take, with all that it calls."
    )
    memory: Annotated[Size, bytes_between(MIB, 64 * 1024 * MIB)] = Field(
        DEFAULT_MEMORY, description="What its Lua state may hold, with all that it calls."
    )


def _by_alias(value: Any) -> Any:
    """A list of ids is short for a map from each entry's name to its id."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return value
    aliases = {item.rpartition(":")[2]: item for item in value}
    if len(aliases) < len(value):
        raise wrong("two imports have the same name", help="write a map: `alias: id`")
    return aliases


_OR_A_LIST = Also({"type": "array", "items": {"type": "string"}, REFERS: [*IMPORTS.kinds]})


class Script(Config):
    """Lua text: where it is and what it may require."""

    source: Annotated[str, Field(min_length=1)] = Field(
        description="`file://` and a path seen from the YAML file's folder, or the Lua text itself."
    )
    modules: list[str] = Field(
        default_factory=list, description="The modules of the standard library it may require."
    )
    imports: Annotated[dict[str, str], BeforeValidator(_by_alias), IMPORTS, _OR_A_LIST] = Field(
        default_factory=dict,
        description="Libraries and Python modules it may require, by the name it uses; a list of"
        " ids gives each its own name.",
    )

    @field_validator("imports")
    @classmethod
    def _usable_aliases(cls, imports: dict[str, str]) -> dict[str, str]:
        for alias in imports:
            if not _ALIAS.fullmatch(alias):
                raise wrong(f"`{alias}` is no name that `require` could use")
        return imports

    @model_validator(mode="after")
    def _one_meaning_per_name(self) -> Script:
        both = set(self.modules) & set(self.imports)
        if both:
            raise wrong(
                f"`{min(both)}` is a module and an import at once",
                help="give the import another alias",
            )
        return self


class Runnable(Script):
    """Lua text with a function in it that is called from outside."""

    method: str | None = Field(
        None,
        description="Which function of the table that the file returns; unset: `handler`, or what"
        " the file returns is the function.",
    )
    limits: Limits = Field(default_factory=Limits, description="What one call may use.")
    isolation: Literal["thread", "process"] = Field(
        "thread", description="`process`: in a process of its own, which can be killed."
    )

    @field_validator("method")
    @classmethod
    def _is_a_name(cls, method: str | None) -> str | None:
        if method is not None and not _NAME.fullmatch(method):
            raise wrong(f"`{method}` is no name of a Lua function")
        return method
