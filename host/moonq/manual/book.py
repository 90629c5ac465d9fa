"""All pages of the manual together: what they explain, and where words stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from moonq.errors import NotFound
from moonq.manual.pages import Excerpt, Page, Row, Section
from moonq.text import suggestions

#: What stands between a name and what is within it.
_WITHIN = re.compile(r"[.:](?=\w)")


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
        found = self._page(name)
        if found:
            return found
        names = [page.name for page in self.pages]
        hint = suggestions.question(suggestions.close(name.lower(), names))
        more = f"`moonq guide` lists the pages; `moonq guide --search {name}` looks into them"
        raise NotFound(f"the manual has no page {name!r}", hint=hint or more)

    def has_page(self, name: str) -> bool:
        """Say whether there is a page called *name*."""
        return self._page(name) is not None

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

        Of a field or an option these are the list items and the rows that begin with it;
        `kind.field` is that of one kind, `run --watch` that of one command. A method is known by
        its name alone, whatever a script calls the object: `orders:drain`. What the reference has
        comes first; a whole page comes where nothing else does.

        Raises:
            NotFound: It says nothing.
        """
        wanted = _folded(name)
        named = [*self._sections.get(wanted, ()), *self._sections.get(f"moonq {wanted}", ())]
        found = [one for one in named if one.page.is_reference] or self._within(name, wanted)
        found = [*found, *(one for one in named if one not in found)]
        parts = [one for one in found if not isinstance(one, Section) or one.level > 1]
        if found:
            return parts or found
        hint = suggestions.question(suggestions.close(name, self.names))
        more = f"`moonq guide --search {name}` looks into all pages"
        raise NotFound(f"the manual does not explain {name!r}", hint=hint or more)

    def search(self, words: str) -> Sequence[Hit]:
        """Return the lines that have all of *words*, those of headings first."""
        wanted = words.lower().split()
        hits = [hit for page in self.pages for hit in _hits(page, wanted)]
        return sorted(hits, key=lambda one: not one.line.startswith("#"))

    @cached_property
    def names(self) -> Sequence[str]:
        """Everything that `about` knows, for completion."""
        named = (section.name for page in self.pages for section in page.sections)
        return sorted({*named, *(item.title for page in self.pages for item in page.items)})

    @cached_property
    def _sections(self) -> dict[str, list[Excerpt]]:
        return _grouped((one.name, one) for page in self.pages for one in page.sections)

    @cached_property
    def _items(self) -> dict[str, list[Excerpt]]:
        return _grouped((one.title, one) for page in self.pages for one in page.items)

    @cached_property
    def _endings(self) -> dict[str, list[Excerpt]]:
        """What is within others by its last name: `max_attempts` is that of `retry`."""
        found: dict[str, list[Excerpt]] = {}
        for title, items in (*self._sections.items(), *self._items.items()):
            *within, last = _WITHIN.split(title)
            if within:
                found.setdefault(last, []).extend(items)
        return found

    def _within(self, name: str, wanted: str) -> Sequence[Excerpt]:
        """Return what stands below headings of other names: fields, options, rows, methods."""
        return (
            _nearest(name, self._items.get(wanted, []))
            or list(self._fields(wanted))
            or self._endings.get(wanted)
            or self._methods(wanted)
        )

    def _methods(self, wanted: str) -> Sequence[Excerpt]:
        """Return the methods that an `object:method` may mean."""
        _, colon, method = wanted.rpartition(":")
        if not colon:
            return []
        found = [one for one in self._endings.get(method, []) if f":{method}" in _folded(one.name)]
        return found or self._items.get(method, [])

    def _page(self, name: str) -> Page | None:
        wanted = name.removesuffix(".md").lower()
        names = ({page.name, page.name.rpartition("/")[2]} for page in self.pages)
        return next(
            (one for one, its in zip(self.pages, names, strict=True) if wanted in its), None
        )

    def _fields(self, wanted: str) -> Iterator[Excerpt]:
        """Yield the items of `kind.field`, and of `command --option`."""
        for page in self.pages:
            for item in page.items:
                owner, name = _folded(item.section.name), _folded(item.title)
                command = f"{owner.removeprefix('moonq ')} {name}"
                if wanted.removeprefix("moonq ") == command or wanted == f"{owner}.{name}":
                    yield item


def _grouped(named: Iterable[tuple[str, Excerpt]]) -> dict[str, list[Excerpt]]:
    """Return excerpts by what they are about, in whatever case that is asked for."""
    found: dict[str, list[Excerpt]] = {}
    for name, one in named:
        found.setdefault(_folded(name), []).append(one)
    return found


def _folded(name: str) -> str:
    return " ".join(name.strip("`").lower().split()).removesuffix("()")


def _nearest(name: str, found: Sequence[Excerpt]) -> Sequence[Excerpt]:
    """Return those of *found* that are written as *name* is, items of lists rather than rows.

    `TIMEOUT` is an error and `timeout` a field; a row often says in a word what an item explains.
    """
    alike = [one for one in found if one.title == name] or found
    nearest = [one for one in alike if not isinstance(one, Row)] or alike
    return sorted(nearest, key=lambda one: not one.page.is_reference)


def _hits(page: Page, wanted: Sequence[str]) -> Iterator[Hit]:
    for number, line in enumerate(page.lines):
        section = page.section_at(number)
        if section is not None and all(word in line.lower() for word in wanted):
            yield Hit(section, line.strip())
