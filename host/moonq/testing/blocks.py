"""Draws what went wrong in a test: the words, the lines around it, values, differences, logs.

    T701 expected equal tables, 1 difference   test/process_order_test.lua:22

      20 │     local run = orders:drain()
      21 │     test.nacked(run, 5)
    ▸ 22 │     test.eq(waits, { "0s", "1s", "2s" })
         │     waits = { "0s", "1s", "4s" }

      at [3]   got "4s"   expected "2s"

    logs (last 1)  ERROR app:orders.consumer  dead (max_attempts) → app:orders.dead
    rerun  moonq test test/process_order_test.lua:16

Texts of scripts are shown with their control characters replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from moonq.registry.lua.tokens import tokens
from moonq.testing.results import LogLine, Problem, Result
from moonq.text.findings import Source
from moonq.text.plain import clean, details_text, shortened

#: Lines of the file above the one that failed.
ABOVE = 2
#: Log lines and stack frames that are shown.
LAST = 6
WIDTH = 100
#: What a host says of who speaks, among the fields of a line.
SPEAKER = ("message_id", "attempt")


def block(result: Result, width: int = 0) -> list[str]:
    """Return the rows about a bad result; lines of files end at *width*, where there is one."""
    problem = result.problem
    assert problem is not None
    return [*problem_rows(problem, width), *_rerun(result)]


def problem_rows(problem: Problem, width: int = 0) -> list[str]:
    """Return the rows about a problem."""
    rows = _headline(problem)
    if problem.source and problem.line:
        rows += ["", *_frame(problem.source, problem.line, problem, width)]
    if problem.diff:
        rows += ["", *(f"  {_cut(line)}" for line in problem.diff)]
    rows += ["", *_called_from(problem), *_logs(problem.logs)]
    for one in problem.also:
        first, *more = problem_rows(one)
        rows += [f"also {first}", *more]
    return rows


def _headline(problem: Problem) -> list[str]:
    words, *more = problem.message.split("\n")
    first = clean(f"{problem.code} {words}")
    source, line = problem.source, problem.line
    place = f"{clean(source.file)}:{line}" if source and line else ""
    rows = [first, *(f"     {clean(line)}" for line in more)]
    if not place:
        return rows
    if len(first) + len(place) + 3 <= WIDTH and not more:
        return [f"{first}   {place}"]
    return [*rows, f"     {place}"]


def _frame(source: Source, line: int, problem: Problem, width: int) -> Iterator[str]:
    first = max(1, line - ABOVE)
    gutter = max(2, len(str(line)))
    room = min(WIDTH, width - gutter - 5) if width else WIDTH
    for number in range(first, line + 1):
        mark = "▸" if number == line else " "
        yield f"{mark} {number:>{gutter}} │ {_cut(source.line(number), room)}".rstrip()
    text = source.line(line)
    indent = clean(text[: len(text) - len(text.lstrip())])
    for name in _names(text):
        if name in problem.values:
            shown = _cut(f"{indent}{name} = {problem.values[name]}", room)
            yield f"  {' ' * gutter} │ {shown}"


def _names(text: str) -> list[str]:
    """The names that stand on a line, each once."""
    return list(dict.fromkeys(token.text for token in tokens(text) if token.kind == "name"))


def _called_from(problem: Problem) -> list[str]:
    outer = problem.stack[1:LAST]
    head = "called from  "
    return [f"{head if at == 0 else ' ' * len(head)}{_cut(one)}" for at, one in enumerate(outer)]


def _logs(logs: tuple[LogLine, ...]) -> list[str]:
    last = logs[-LAST:]
    head = f"logs (last {len(last)})  " if len(logs) > len(last) else "logs  "
    return [
        f"{head if at == 0 else ' ' * len(head)}{log_row(line)}" for at, line in enumerate(last)
    ]


def log_row(line: LogLine) -> str:
    """Return one logged line as a row."""
    speaker = {name: line.fields[name] for name in SPEAKER if name in line.fields}
    fields = {name: value for name, value in sorted(line.fields.items()) if name not in speaker}
    told = f"{line.level.upper():5} {line.entry}  {line.message}  {details_text(speaker, fields)}"
    return _cut(told.rstrip(), 160)


def _rerun(result: Result) -> list[str]:
    case = result.case
    place = f"{case.file}:{case.line}" if case.file.endswith(".lua") and case.line else case.file
    shown = place if place.isprintable() and " " not in place else json.dumps(place)
    return [clean(f"rerun  moonq test {shown}")]


def _cut(text: str, limit: int = WIDTH) -> str:
    return shortened(clean(text.replace("\n", "\\n")), limit)
