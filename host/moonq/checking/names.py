"""What a name stands for: a chain of fields behind a local, a global, a module, or an answer.

local publish = queue.publish   -- publish is Chain(Required("queue"), ("publish",))
publish("app:mail", {})         -- and so is what is called here
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(eq=False, slots=True)
class Local:
    """A local variable; its value is only known while nothing else is assigned to it."""

    name: str
    value: Chain | None = None
    is_changed: bool = False


class Global(NamedTuple):
    """What no scope declares."""

    name: str


class Required(NamedTuple):
    """What `require` answers for a literal name."""

    module: str


class Answer(NamedTuple):
    """The first result of a call."""

    callee: Chain


class Chain(NamedTuple):
    """Fields behind a beginning, as in `queue.publish`."""

    base: Local | Global | Required | Answer
    fields: tuple[str, ...] = ()

    def expanded(self) -> Chain:
        """Return the chain with locals replaced by what they stand for, as far as that is sure."""
        base, fields = self
        while isinstance(base, Local) and base.value is not None and not base.is_changed:
            fields = base.value.fields + fields
            base = base.value.base
        return Chain(base, fields)


class How(Enum):
    """What is done with a chain."""

    READ = auto()
    """Its value goes somewhere: nil is as good as any."""
    ASK = auto()
    """It is looked whether there is one."""
    INDEX = auto()
    """Something is taken out of it, or put into it."""
    CALL = auto()
    METHOD = auto()
    """Its last field is called with a colon."""


class Use(NamedTuple):
    """One place where a chain is used."""

    chain: Chain
    how: How
    places: tuple[Node, ...]
    """The nodes of the base and of each field."""
    arguments: tuple[Node, ...] | None
    """Of a call."""
    is_guarded: bool
    """Whether a `pcall` catches what goes wrong here."""


class Called(NamedTuple):
    """A call with arguments."""

    callee: Chain
    argument: Node
    """The first of them."""
    chain: Chain | None
    """What that stands for, if it is a name."""


@dataclass(slots=True)
class Names:
    """All that a text does with names."""

    uses: list[Use] = field(default_factory=list)
    locals: set[str] = field(default_factory=set)
    """The names of its locals."""
    set: set[Chain] = field(default_factory=set)
    """What it assigns to, locals apart."""
    calls: list[Called] = field(default_factory=list)
    constants: dict[Chain, str | None] = field(default_factory=dict)
    """Texts that are given to names; None where a name gets another one, too."""
    is_open: bool = False
    """Whether it may make globals in a way that is not seen: through `_ENV`, or by `load`."""

    def constant(self, chain: Chain) -> str | None:
        """Return the one text that *chain* ever stands for."""
        found = chain.expanded()
        if isinstance(found.base, Local) and found.base.is_changed:
            return None
        return self.constants.get(found)

    def field(self, fields: tuple[str, ...]) -> str | None:
        """Return the one text that *fields* of any table here ever have."""
        found = {text for chain, text in self.constants.items() if chain.fields == fields}
        return found.pop() if len(found) == 1 else None
