"""What the tests have run, in the forms that people and programs ask for.

file                     lines   hit      %   missing
src/process_order.lua       24    22   91.7   31-32
src/legacy.lua              41     0    0.0   never loaded
total                       65    22   33.8   ✗ below 85
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from moonq import private
from moonq.cli.reporters import cobertura
from moonq.testing.coverage import FileCoverage, Hit, measure, total
from moonq.testing.sources import shown_path
from moonq.text.plain import clean
from moonq.views.tables import Column, table

if TYPE_CHECKING:
    from moonq.cli.reporters import Least, Tally
    from moonq.testing.sources import Projects
    from moonq.views import Screen

FORMS = ("term", "html", "lcov", "cobertura")

FOLDER = Path(".moonq", "coverage")
STYLE = """\
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em }
pre { font: 13px/1.45 ui-monospace, monospace; overflow-x: auto }
table { border-collapse: collapse } td, th { padding: .2em .8em; text-align: right }
td:first-child, th:first-child { text-align: left } .no { opacity: .5; user-select: none }
.hit { background: #2da44e26 } .miss { background: #cf222e33 }
"""


class Since(NamedTuple):
    """What has changed since a revision."""

    revision: str
    lines: Mapping[Path, Mapping[str, Container[int]]]
    """By project and by the file's path below it."""


def told(
    tally: Tally,
    projects: Projects,
    forms: Sequence[str],
    least: Least,
    screen: Screen,
    since: Since | None = None,
) -> list[str]:
    """Measure what ran, write the files that were asked for, and return the rows to show.

    The rows are about the lines that changed *since* a revision, if one is named.
    """
    if since is not None:
        tally.changed = []
    for root in dict.fromkeys(report.source.root for report in tally.reports):
        hit = Hit()
        for report in tally.reports:
            if report.source.root == root:
                hit.add(report.hits)
        found = measure(projects.at(root), root, hit.lines())
        tally.covered += found
        if since is not None and tally.changed is not None:
            lines = since.lines[root]
            changed = (one.only(lines.get(one.name, ())) for one in found)
            tally.changed += (one for one in changed if one.lines)
    shown = rows(tally.judged, least, screen) if "term" in forms else []
    if shown and since is not None:
        shown = [f"  lines that changed since {clean(since.revision)}", *shown]
    if not shown and tally.below(least):
        shown = [f"  ✗ {_verdict(tally, least)}"]
    for form, (name, write) in WRITERS.items():
        if form in forms and tally.reports:
            path = tally.reports[0].source.root / FOLDER / name
            write(path, tally.covered)
            shown.append(f"  coverage written to {shown_path(path)}")
    return shown


def _verdict(tally: Tally, least: Least) -> str:
    percent = total(tally.judged)[2]
    if least.of_all is not None and percent < least.of_all:
        return f"{percent:.1f} % covered, below {least.of_all:g}"
    worst = min(tally.judged, key=lambda one: one.percent)
    return f"{worst.percent:.1f} % of {clean(worst.file)} covered, below {least.of_each:g}"


def rows(files: Sequence[FileCoverage], least: Least, screen: Screen) -> list[str]:
    """Return the table for *screen*; where room is scarce the numbers of lines go first."""
    lines, hit, percent = total(files)
    found = [
        (one.file, len(one.lines), len(one.hit), _missing(one) + _below(one.percent, least.of_each))
        for one in files
    ]
    found.append(("total", lines, hit, _below(percent, least.of_all).strip()))
    columns = [
        Column("file", lambda row: clean(row[0]), is_id=True),
        Column("lines", lambda row: str(row[1]), right=True, drop=2, least=5),
        Column("hit", lambda row: str(row[2]), right=True, drop=1, least=5),
        Column("%", lambda row: f"{_percent(row[1], row[2]):.1f}", right=True, least=5),
        Column("missing", lambda row: row[3], wraps=True),
    ]
    return [*table(columns, found, screen, indent="  "), ""]


def write_html(path: Path, files: Sequence[FileCoverage]) -> None:
    """Write one page with every file."""
    lines, hit, percent = total(files)
    table = "".join(
        f'<tr><td><a href="#f{at}">{escape(one.file)}</a></td><td>{len(one.lines)}</td>'
        f"<td>{len(one.hit)}</td><td>{one.percent:.1f}</td></tr>"
        for at, one in enumerate(files)
    )
    body = "".join(_html_file(at, one) for at, one in enumerate(files))
    _write(
        path,
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Coverage</title>'
        f"<style>{STYLE}</style><h1>{percent:.1f} % of {lines} lines ran</h1>"
        f"<table><tr><th>file<th>lines<th>hit<th>%</tr>{table}"
        f"<tr><th>total<th>{lines}<th>{hit}<th>{percent:.1f}</tr></table>{body}</html>\n",
    )


def write_lcov(path: Path, files: Sequence[FileCoverage]) -> None:
    """Write what editors and coverage services read."""
    records = []
    for one in files:
        lines = "".join(f"DA:{line},{int(line in one.hit)}\n" for line in sorted(one.lines))
        counts = f"LF:{len(one.lines)}\nLH:{len(one.hit)}\n"
        records.append(f"TN:\nSF:{one.file}\n{lines}{counts}end_of_record\n")
    _write(path, "".join(records))


def _write(path: Path, text: str) -> None:
    private.folder(path.parent)
    private.write(path, text.encode("utf-8", "replace"))


#: What is written for each form, and by whom.
WRITERS = {
    "html": ("index.html", write_html),
    "lcov": ("lcov.info", write_lcov),
    "cobertura": ("cobertura.xml", cobertura.write),
}


def _below(percent: float, least: float | None) -> str:
    return f"  ✗ below {least:g}" if least is not None and percent < least else ""


def _percent(lines: int, hit: int) -> float:
    return 100.0 * hit / lines if lines else 100.0


def _missing(one: FileCoverage) -> str:
    if not one.loaded and one.lines:
        return "never loaded"
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in one.missing()]
    return ", ".join(shown[:12]) + (", …" if len(shown) > 12 else "")


def _html_file(at: int, one: FileCoverage) -> str:
    shown = []
    for number, line in enumerate(one.text.split("\n"), 1):
        kind = "" if number not in one.lines else "hit" if number in one.hit else "miss"
        shown.append(
            f'<span class="{kind}"><span class="no">{number:5} </span>{escape(line)}</span>'
        )
    code = "\n".join(shown)
    return f'<h2 id="f{at}">{escape(one.file)} · {one.percent:.1f} %</h2><pre>{code}</pre>'
