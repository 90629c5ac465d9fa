"""`moonq guide`: the manual on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from moonq.cli.options import Options, command
from moonq.cli.streams import echo

if TYPE_CHECKING:
    from moonq.manual import Hit, Manual, Page


def _places(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    from moonq.manual import Manual

    name, mark, _ = typed.partition("#")
    manual = Manual.of_package()
    if mark:
        places = [one.place for one in manual.page(name).sections]
    else:
        places = [page.name for page in manual.pages]
    return [CompletionItem(one) for one in places if one.startswith(typed)]


@command()
@click.argument("page", nargs=-1, shell_complete=_places)
@click.option("--search", metavar="WORDS", help="Say where all of these words stand in a line.")
@click.option("--no-pager", is_flag=True, help="Write it all at once on a terminal, too.")
def guide(options: Options, page: tuple[str, ...], search: str | None, no_pager: bool) -> None:
    """Read the manual.

    Without PAGE it lists the pages. PAGE#SECTION is a part of one, and links are shown as the
    command that follows them. What is longer than the terminal goes through $PAGER (`less` where
    that is not set); a pipe gets the Markdown itself. With PAGE a search stays in that page; other
    words are searched for, too.

    \b
    Examples:
      moonq guide
      moonq guide getting-started
      moonq guide handlers#retries
      moonq guide --search dead letter
      moonq guide --search retries handlers
    """
    from moonq.manual import Manual
    from moonq.views import Screen, show
    from moonq.views import manual as views
    from moonq.views.pager import paged

    manual, screen = Manual.of_package(), Screen.of(sys.stdout, options.color)
    place = "-".join(page)
    if search:
        place, search = _divided(manual, search, page)
    say = show if no_pager else partial(paged, color=screen.color)
    if options.json:
        echo(json.dumps(_document(manual, place, search)))
    elif search:
        say(views.hits(_hits(manual, search, place), screen))
    elif place:
        say(views.excerpt(manual.part(place), screen))
    else:
        say(views.pages(manual.pages, screen))


def _divided(manual: Manual, search: str, more: Sequence[str]) -> tuple[str, str]:
    """Return the page that is searched, or nothing for all, and the words: *search* and *more*."""
    if len(more) == 1 and manual.has_page(more[0]):
        return more[0], search
    return "", " ".join([search, *more])


def _hits(manual: Manual, words: str, page: str) -> list[Hit]:
    from moonq.errors import NotFound

    only = manual.page(page) if page else None
    found = [one for one in manual.search(words) if only is None or one.section.page is only]
    if not found:
        raise NotFound(f"no line of the manual has {words!r}", hint="fewer words find more")
    return found


def _document(manual: Manual, page: str, search: str | None) -> dict[str, object]:
    if search:
        found = _hits(manual, search, page)
        hits = [{"place": one.section.place, "line": one.line} for one in found]
        return {"schema": "moonq.guide.hits/1", "hits": hits}
    if page:
        part = manual.part(page)
        return {"schema": "moonq.guide.page/1", "title": part.title, "text": part.text}
    return {"schema": "moonq.guide/1", "pages": [_row(one) for one in manual.pages]}


def _row(page: Page) -> dict[str, str]:
    return {"name": page.name, "title": page.title, "summary": page.summary}
