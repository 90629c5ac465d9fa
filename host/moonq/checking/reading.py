"""One Lua text with what it does with names, and what is known around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from moonq.checking.names import Chain, How, Local, Names, Required, Use
from moonq.checking.walking import names_of
from moonq.errors import Severity
from moonq.registry.lua.text import LuaText
from moonq.text.findings import Finding, Span, error
from moonq.text.suggestions import close

if TYPE_CHECKING:
    from tree_sitter import Node


#: Comparing every name with every other takes its time, and many alike have one cause.
HINTS = 40


@dataclass(frozen=True)
class Owner:
    """Whose text it is, and whom it can name."""

    full: Callable[[str], str]
    """Makes a full id of a name in it."""
    known: Mapping[str, str] = field(default_factory=dict)
    """The kind of each entry of the project by its id, those that others imply among them."""
    variables: tuple[str, ...] = ()
    """The variables of the environment that entries name."""
    imports: frozenset[str] = frozenset()
    is_library: bool = False
    is_test: bool = False
    lends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The functions of each Python module, by the name that it is required by."""


class Known(NamedTuple):
    """A use with the chain that it comes down to."""

    use: Use
    chain: Chain

    @property
    def needs(self) -> int:
        """How many fields must be there; with fewer than none not even the base."""
        taken = self.use.how in (How.READ, How.ASK)
        return len(self.chain.fields) - taken

    def place(self, field: int) -> Node:
        """Return the node of a field of the chain; 0 is its base."""
        hidden = len(self.chain.fields) - len(self.use.chain.fields)
        return self.use.places[max(0, field - hidden)]


@dataclass
class Reading:
    """Collects what is said about one text."""

    text: LuaText
    owner: Owner
    findings: list[Finding] = field(default_factory=list)
    _said: set[tuple[str, str]] = field(default_factory=set)
    _hints: int = HINTS

    @cached_property
    def names(self) -> Names:
        """What the text does with names."""
        return names_of(self.text.data)

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.text.data.split(b"\n")

    @cached_property
    def asked(self) -> set[Chain]:
        """What the text asks for somewhere: then it knows that it may be missing.

        A guard counts for the whole text: libraries ask once at their top, for what only other
        Luas have, and no doubt is better than a wrong one.
        """
        asks = (use for use in self.names.uses if use.how is How.ASK)
        return {self._own(use.chain) for use in asks}

    def uses(self) -> Iterator[Known]:
        """Yield every use that no `pcall` guards."""
        for use in self.names.uses:
            if not use.is_guarded:
                yield Known(use, self._own(use.chain))

    def _own(self, chain: Chain) -> Chain:
        """The chain as far as it is sure; a library of the project is no module of ours."""
        found = chain.expanded()
        base = found.base
        is_import = isinstance(base, Required) and base.module in self.owner.imports
        if is_import and self.lent(found) is None:
            assert isinstance(base, Required)
            return Chain(Local(base.module), found.fields)
        return found

    def lent(self, chain: Chain) -> tuple[str, ...] | None:
        """Return what the Python module lends that *chain* begins with, None if it is none."""
        base = chain.base
        return self.owner.lends.get(base.module) if isinstance(base, Required) else None

    def is_asked(self, chain: Chain) -> bool:
        """Say whether the text asks for *chain*, or makes it."""
        return chain in self.asked or chain in self.names.set

    def likely(self, name: str, names: Iterable[str]) -> list[str]:
        """Return what *name* was probably meant to be, for the first that are wrong."""
        self._hints -= 1
        return close(name, names) if self._hints >= 0 else []

    def add(
        self,
        code: str,
        message: str,
        place: Node,
        *,
        about: str = "",
        label: str = "",
        help: str = "",  # noqa: A002
        note: str = "",
        severity: Severity = "warning",
    ) -> None:
        """Say something; of several findings *about* one thing the first is enough."""
        if not about or (code, about) not in self._said:
            self._said.add((code, about))
            span = self.span(place, label)
            self.findings.append(
                error(code, message, span, help=help, note=note, severity=severity)
            )

    def span(self, node: Node, label: str = "") -> Span:
        """Return the span of *node*, or of its first line."""
        row, begin = node.start_point
        line = self._lines[row]
        end = node.end_point[1] if node.end_point[0] == row else len(line)
        column, length = _characters(line[:begin]), _characters(line[begin:end])
        return self.text.span(row + 1, column + 1, max(1, length), label)


def _characters(data: bytes) -> int:
    return len(data.decode("utf-8", "replace"))
