"""One page of the manual: its title, its sections, and the items that name fields and options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

#: What stands between the name of a thing and more words about it in a heading: `R202: title`.
_NAME_ENDS = re.compile(r":\s")
#: What a repository browser leaves out of a heading's anchor.
_NO_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Excerpt:
    """A piece of a page: what stands from one line to another."""

    page: Page
    title: str
    first: int
    end: int

    @property
    def text(self) -> str:
        """Its Markdown."""
        return "\n".join(self.page.lines[self.first : self.end]).strip()

    @property
    def name(self) -> str:
        """What it is about: its title without what is said behind the name."""
        return _NAME_ENDS.split(self.title, maxsplit=1)[0]


@dataclass(frozen=True)
class Section(Excerpt):
    """What stands below a heading, smaller headings included."""

    level: int
    anchor: str

    @property
    def place(self) -> str:
        """How a link names it: `handlers#acks`, or the page alone for its first heading."""
        return self.page.name if self.level == 1 else f"{self.page.name}#{self.anchor}"


@dataclass(frozen=True)
class Item(Excerpt):
    """A list item that begins with the name of a field or of an option."""

    section: Section


@dataclass(frozen=True)
class Page:
    """A page, by its path below the manual without the ending: `reference/errors`."""

    name: str
    text: str

    @cached_property
    def lines(self) -> Sequence[str]:
        """The lines of the page."""
        return self.text.splitlines()

    @property
    def is_reference(self) -> bool:
        """Whether it was written from the code."""
        return self.name.startswith("reference/")

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.sections[0].title if self.sections else self.name

    @cached_property
    def summary(self) -> str:
        """The sentence below its title."""
        tokens = self._tokens
        first = next((at for at, one in enumerate(tokens) if one.type == "paragraph_open"), None)
        return _plain(tokens[first + 1]) if first is not None else ""

    @cached_property
    def sections(self) -> Sequence[Section]:
        """Its sections in their order; that of a large heading holds those of smaller ones."""
        heads = [
            (int(one.tag[1]), one.map[0], _plain(self._tokens[at + 1]))
            for at, one in enumerate(self._tokens)
            if one.type == "heading_open" and one.map
        ]
        anchors = _anchors([title for _, _, title in heads])
        found = []
        for at, (level, first, title) in enumerate(heads):
            below = (line for depth, line, _ in heads[at + 1 :] if depth <= level)
            end = next(below, len(self.lines))
            found.append(Section(self, title, first, end, level, anchors[at]))
        return found

    @cached_property
    def items(self) -> Sequence[Item]:
        """The items of its lists that begin with a name."""
        found = []
        for at, one in enumerate(self._tokens):
            if one.type != "list_item_open" or not one.map:
                continue
            name, section = _code(self._tokens[at + 2]), self.section_at(one.map[0])
            if name and section is not None:
                found.append(Item(self, name, one.map[0], one.map[1], section))
        return found

    @cached_property
    def links(self) -> Sequence[str]:
        """Where its links lead, as they are written."""
        inline = (child for one in self._tokens for child in one.children or ())
        return [str(one.attrs["href"]) for one in inline if one.type == "link_open"]

    def section_at(self, line: int) -> Section | None:
        """Return the smallest section that has *line*."""
        found = [one for one in self.sections if one.first <= line < one.end]
        return found[-1] if found else None

    def section(self, anchor: str) -> Section | None:
        """Return the section that a link with *anchor* leads to."""
        return next((one for one in self.sections if one.anchor == anchor), None)

    @cached_property
    def _tokens(self) -> list[Token]:
        # What rich parses Markdown with; late, for most commands never read a page.
        from markdown_it import MarkdownIt

        return MarkdownIt("commonmark").enable("table").parse(self.text)


def _plain(inline: Token) -> str:
    """The words of a line without its marks."""
    children = inline.children or ()
    return "".join(" " if one.type == "softbreak" else one.content for one in children)


def _code(inline: Token) -> str:
    """The code that a line begins with."""
    children = [one for one in inline.children or () if one.type != "strong_open" and one.content]
    return children[0].content if children and children[0].type == "code_inline" else ""


def _anchors(titles: Sequence[str]) -> list[str]:
    """The anchors that repository browsers make of headings; a second one like it gets a number."""
    return list(_numbered(_NO_ANCHOR.sub("", one.lower()).replace(" ", "-") for one in titles))


def _numbered(names: Iterator[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        yield f"{name}-{count}" if count else name
