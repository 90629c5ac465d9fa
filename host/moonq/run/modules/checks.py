"""What can be said about a `module.python` entry before any of its code runs.

A file is read and never run, so a name that only running would explain is left to the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from moonq.registry.draft import Draft
from moonq.registry.lua.text import LuaText
from moonq.registry.project import Entry
from moonq.registry.sources import FILE, Sources
from moonq.run.modules import finding
from moonq.run.modules.reading import CALLED, Named, PythonText, read
from moonq.text.findings import Finding, error
from moonq.text.suggestions import close, listed, question


class Looked(NamedTuple):
    """What was found of a module."""

    findings: list[Finding]
    script: LuaText | None = None
    """Its text, where it is a file of the project."""
    text: PythonText | None = None
    """None where nothing can be read: an extension, or a faulty file."""
    shown: str = ""


def look(draft: Draft, source: str | None, dotted: str | None, root: Path) -> Looked:
    """Find the module of *draft* and read it."""
    if source is not None:
        return _look_at_file(draft, source, root)
    try:
        spec = finding.find(dotted or "", root)
    except (ImportError, OSError, ValueError):
        spec = None
    if spec is None:
        span = draft.span_of("import", label="no such module")
        words = f"there is no Python module `{dotted}` in this environment or the project's folder"
        return Looked([error("R253", words, span, help="install it, or correct the name")])
    path = finding.file_of(spec)
    text = _read_quietly(path) if path else None
    return Looked([], text=text, shown=dotted or "")


def _look_at_file(draft: Draft, source: str, root: Path) -> Looked:
    sources = Sources(root, ".py")
    if not source.startswith(FILE):
        name = source.rpartition("//")[2].strip()
        words = "`source` must be `file://` and a path"
        sources.add("P120", words, draft, help=f"write `{FILE}{name}`")
        return Looked(sources.findings)
    script = sources.file(draft, source.removeprefix(FILE))
    if script is None:
        return Looked(sources.findings)
    shown = script.shown.file
    try:
        return Looked([], script, read(shown, script.data), shown)
    except SyntaxError as problem:
        label = problem.msg
        span = script.shown.span(problem.lineno or 1, problem.offset or 1, label=label)
        return Looked([error("P122", f"{shown} is no Python", span)], script)
    except (ValueError, RecursionError) as problem:
        span = draft.span_of("source")
        return Looked([error("P122", f"{shown} is no Python: {problem}", span)], script)


def _read_quietly(path: Path) -> PythonText | None:
    try:
        return read(path.name, path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def text_of(entry: Entry, root: Path) -> PythonText | None:
    """Return what the module of *entry* defines, None where it cannot be read."""
    dotted = getattr(entry.config, "import", None)
    try:
        if dotted is None:
            return read(entry.source_name, entry.source_text)
        spec = finding.find(dotted, root)
    except (ImportError, OSError, SyntaxError, ValueError, RecursionError):
        return None
    path = finding.file_of(spec) if spec else None
    return _read_quietly(path) if path else None


def lent(
    draft: Draft, wanted: Sequence[str] | None, options: Mapping[str, Any], found: Looked
) -> tuple[Sequence[str], list[Finding]]:
    """Return the names of the functions that are lent, and what is wrong with them."""
    text = found.text
    assert text is not None
    findings = [*_idle_options(draft, options, found)]
    if wanted is not None:
        for at, name in enumerate(wanted):
            place = ("functions", at)
            findings += _faults(draft, name, place, found)
        return wanted, findings
    names = [name for name in text.offered or () if not name.startswith("_")]
    if not names:
        return (), [*findings, unlisted(draft, found)]
    for name in names:
        findings += _faults(draft, name, ("source" if found.script else "import",), found)
    return names, findings


def unlisted(draft: Draft, found: Looked) -> Finding:
    """Return the finding for a module that does not say what it lends."""
    functions = found.text.names.items() if found.text else ()
    public = [name for name, one in functions if one.kind == "function" and name[0] != "_"]
    example = ", ".join(public[:3] or ["charge"])
    return error(
        "R252",
        f"nothing says which functions of {found.shown} scripts may call",
        draft.span(None, f"add `functions: [{example}]` here"),
        help="or list them in the module's `__all__`",
    )


def _faults(
    draft: Draft, name: str, place: tuple[str | int, ...], found: Looked
) -> Iterator[Finding]:
    text, shown = found.text, found.shown
    assert text is not None
    named = text.names.get(name)
    if named is None:
        if text.lacks(name):
            functions = [one for one, what in text.names.items() if what.kind == "function"]
            has = f"it has {listed(functions)}" if functions else "it has no functions"
            yield error(
                "R250",
                f"{shown} has no function `{name}`",
                draft.span_of(*place, label="no such function"),
                help=question(close(name, functions)) or has,
            )
    elif reason := _unfit(name, named):
        own = [text.source.span(named.line, named.column, len(name), primary=False)]
        spans = [draft.span_of(*place), *(own if found.script else [])]
        yield error("R251", f"`{name}` of {shown} {reason[0]}", *spans, help=reason[1])


def _unfit(name: str, named: Named) -> tuple[str, str] | None:
    if named.kind in CALLED:
        helps = {
            "generator": "only values cross to Lua: return a list",
            "class": "no object crosses to Lua: lend a function",
            "value": "lend a function that returns it",
        }
        return f"is {CALLED[named.kind]}", helps[named.kind]
    arguments = named.node.args if named.node and named.kind == "function" else None
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if arguments else ()
    for argument, default in pairs:
        if default is None:
            words = f"wants `{argument.arg}` by its name"
            return words, "Lua gives arguments by their places: give it a default, or drop the `*`"
    return None


def _idle_options(draft: Draft, options: Mapping[str, Any], found: Looked) -> Iterator[Finding]:
    if options and found.text is not None and found.text.lacks("open"):
        yield error(
            "R254",
            f"{found.shown} has no `open`, so nobody reads its `options`",
            draft.span_of("options"),
            help="define `def open(options): ...` in it, or drop them",
            severity="warning",
        )


def plain(value: Any) -> Any:
    """Return *value* from YAML as Python's own types."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
