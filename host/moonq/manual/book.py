"""All pages of the manual together: what they explain, and where words stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from moonq.errors import NotFound
from moonq.manual.pages import Excerpt, Page, Section
from moonq.text import suggestions

#: Items of one name that are shown whole; of more only their places.
MOST = 12


class Hit(NamedTuple):
    """A line in which all words of a search stand, or a heading with them."""

    section: Section
    line: str


class Manual:
    """The pages below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of_package(cls) -> Manual:
        """Return the manual that travels with moonq."""
        return cls(Path(__file__).parent)

    @cached_property
    def pages(self) -> Sequence[Page]:
        """Every page: the written ones by their names, then the reference."""
        paths = sorted(self._folder.rglob("*.md"), key=lambda one: (len(one.parts), one))
        names = [one.relative_to(self._folder).with_suffix("").as_posix() for one in paths]
        return [
            Page(name, path.read_text("utf-8")) for name, path in zip(names, paths, strict=True)
        ]

    def page(self, name: str) -> Page:
        """Return the page called *name*; the last part of its path is enough.

        Raises:
            NotFound: There is none.
        """
        wanted = name.removesuffix(".md").lower()
        for page in self.pages:
            if wanted in {page.name, page.name.rpartition("/")[2]}:
                return page
        names = [page.name for page in self.pages]
        hint = suggestions.question(suggestions.close(wanted, names))
        more = f"`moonq guide` lists the pages; `moonq guide --search {name}` looks into them"
        raise NotFound(f"the manual has no page {name!r}", hint=hint or more)

    def part(self, place: str) -> Excerpt:
        """Return what a *place* like `handlers` or `handlers#acks` names.

        Raises:
            NotFound: There is no such page, or it has no such section.
        """
        name, _, anchor = place.partition("#")
        page = self.page(name)
        section = page.section(anchor.lower()) if anchor else page.sections[0]
        if section is None:
            close = suggestions.close(anchor, [one.anchor for one in page.sections])
            raise NotFound(
                f"page {page.name} has no section {anchor!r}", hint=suggestions.question(close)
            )
        return section

    def about(self, name: str) -> Sequence[Excerpt]:
        """Return what the manual says about a thing: the sections with its name for a heading.

        Of a field or an option these are the list items that begin with it; `kind.field` is that
        of one kind. What the reference has comes first; a whole page comes where nothing else does.

        Raises:
            NotFound: It says nothing.
        """
        wanted = _folded(name)
        named = [*self._sections.get(wanted, ()), *self._sections.get(f"moonq {wanted}", ())]
        found = [one for one in named if one.page.is_reference] or self._of_fields(wanted)
        found = [*found, *(one for one in named if one not in found)]
        parts = [one for one in found if not isinstance(one, Section) or one.level > 1]
        if found:
            return parts or found
        known = {*self._names, *(one.title for page in self.pages for one in page.items)}
        hint = suggestions.question(suggestions.close(name, sorted(known)))
        more = f"`moonq guide --search {name}` looks into all pages"
        raise NotFound(f"the manual does not explain {name!r}", hint=hint or more)

    def explains(self, name: str) -> bool:
        """Say whether a heading names it."""
        return _folded(name) in self._sections

    def search(self, words: str) -> Sequence[Hit]:
        """Return the lines that have all of *words*, those of headings first."""
        wanted = words.lower().split()
        hits = [hit for page in self.pages for hit in _hits(page, wanted)]
        return sorted(hits, key=lambda one: not one.line.startswith("#"))

    @cached_property
    def names(self) -> Sequence[str]:
        """Everything that `about` knows, for completion."""
        items = (one.title for page in self.pages for one in page.items)
        return sorted({*self._names, *items})

    @cached_property
    def _names(self) -> Sequence[str]:
        return [one.name for page in self.pages for one in page.sections]

    @cached_property
    def _sections(self) -> dict[str, list[Excerpt]]:
        found: dict[str, list[Excerpt]] = {}
        for page in self.pages:
            for section in page.sections:
                found.setdefault(_folded(section.name), []).append(section)
        return found

    @cached_property
    def _items(self) -> dict[str, list[Excerpt]]:
        found: dict[str, list[Excerpt]] = {}
        for page in self.pages:
            for item in page.items:
                found.setdefault(_folded(item.title), []).append(item)
        return found

    @cached_property
    def _endings(self) -> dict[str, list[Excerpt]]:
        """The fields within others by their last name: `retry.max_attempts` by `max_attempts`."""
        found: dict[str, list[Excerpt]] = {}
        for title, items in self._items.items():
            *within, last = title.split(".")
            if within:
                found.setdefault(last, []).extend(items)
        return found

    def _of_fields(self, wanted: str) -> Sequence[Excerpt]:
        found = self._items.get(wanted) or list(self._fields(wanted))
        return found or self._endings.get(wanted) or []

    def _fields(self, wanted: str) -> Iterator[Excerpt]:
        """Yield the items of `kind.field`."""
        for page in self.pages:
            for item in page.items:
                if f"{_folded(item.section.name)}.{_folded(item.title)}" == wanted:
                    yield item


def _folded(name: str) -> str:
    return " ".join(name.strip("`").lower().split()).removesuffix("()")


def _hits(page: Page, wanted: Sequence[str]) -> Iterator[Hit]:
    for number, line in enumerate(page.lines):
        section = page.section_at(number)
        if section is not None and all(word in line.lower() for word in wanted):
            yield Hit(section, line.strip())
