"""Every link of the manual and of the pages at the top leads somewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from moonq.manual import Manual, Page

ROOT = Path(__file__).parents[3]
MANUAL = ROOT / "host" / "moonq" / "manual"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *MANUAL.rglob("*.md")])


@cache
def page_at(path: Path) -> Page:
    """Return a page, which is parsed once however many links lead to it."""
    return Page(path.name, path.read_text("utf-8"))


def broken(path: Path, root: Path = ROOT) -> list[str]:
    """Return the links of a page that lead nowhere."""
    return [link for link in page_at(path).links if not leads(path, link, root)]


def leads(path: Path, link: str, root: Path) -> bool:
    """Say whether a link of the page at *path* leads to a file, and to a heading in it."""
    name, _, anchor = link.partition("#")
    if ":" in name:
        return name.startswith(("https:", "http:", "mailto:"))
    target = (path.parent / name).resolve() if name else path
    if not target.exists() or not target.is_relative_to(root):
        return False
    if not anchor:
        return True
    return page_at(target).section(anchor) is not None


@pytest.mark.parametrize("path", PAGES, ids=lambda one: one.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    assert broken(path) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n[a](#a) [b](#b) [c](other.md) [d](https://example.com) [e](c:/x)\n")
    assert broken(page, tmp_path) == ["#b", "other.md", "c:/x"]


def test_links_out_of_the_wheel_are_none() -> None:
    """In the terminal a page knows nothing but the other pages."""
    outside = [
        f"{page.name}: {link}"
        for page in Manual.of_package().pages
        for link in page.links
        if ":" not in link
        and not (MANUAL / f"{page.name}.md")
        .parent.joinpath(link.partition("#")[0])
        .resolve()
        .is_relative_to(MANUAL)
    ]
    assert outside == []
