"""The manual on a terminal: its pages, what it explains, and where words stand in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from posixpath import join, normpath

from moonq.manual import Excerpt, Hit, Page
from moonq.text.wording import plural
from moonq.views.screen import Screen
from moonq.views.tables import facts, paragraph

#: Excerpts that are shown whole; of more only the places.
FEW = 6
#: Hits that are shown.
MOST = 60


def pages(found: Sequence[Page], screen: Screen) -> Iterator[str]:
    """Yield the pages with their summaries."""
    written = [one for one in found if "/" not in one.name]
    made = [one for one in found if "/" in one.name]
    for title, some in (("guides", written), ("reference", made)):
        if some:
            yield screen.paint("head", title)
            yield from facts([(one.name, one.summary) for one in some], screen, indent="  ")
            yield ""
    tail = "`moonq guide PAGE` shows one, `moonq guide --search WORDS` looks into all."
    yield from paragraph(tail, "", screen)


def excerpt(found: Excerpt, screen: Screen) -> list[str]:
    """Return a piece of a page; its links are shown as the commands that follow them."""
    return screen.markdown(found.text, lambda target: followed(found.page, target))


def explained(found: Sequence[Excerpt], screen: Screen) -> Iterator[str]:
    """Yield all that was found about one name, each with its place."""
    for number, one in enumerate(found):
        if len(found) <= FEW:
            if number:
                yield ""
            yield from excerpt(one, screen)
            yield ""
        yield from paragraph(f"{_owner(one)}moonq guide {place(one)}", "dim", screen)


def hits(found: Sequence[Hit], screen: Screen) -> Iterator[str]:
    """Yield the places of a search, each page's below its name."""
    last = ""
    for one in found[:MOST]:
        if one.section.place != last:
            last = one.section.place
            yield screen.paint("bold", f"moonq guide {last}")
        yield from paragraph(one.line.lstrip("# "), "", screen, "  ")
    if len(found) > MOST:
        yield f"and {plural(len(found) - MOST, 'more line')}; more words find fewer"


def place(found: Excerpt) -> str:
    """Return how `moonq guide` is told of it."""
    section = found.page.section_at(found.first)
    return section.place if section else found.page.name


def followed(page: Page, target: str) -> str:
    """Return the command that follows a link of *page*, or the link where it leads elsewhere."""
    path, mark, anchor = target.partition("#")
    if ":" in path or not (path.endswith(".md") or not path):
        return target
    name = normpath(join(page.name, "..", path.removesuffix(".md"))) if path else page.name
    return target if name.startswith("..") else f"moonq guide {name}{mark}{anchor}"


def _owner(found: Excerpt) -> str:
    """The heading that an item stands below."""
    section = found.page.section_at(found.first)
    return "" if section is None or section.first == found.first else f"{section.title} · "
