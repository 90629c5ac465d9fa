"""Compares what a script requires with what its entry declares.

Only `require` of a literal text can be seen without running the script; a name that is built at
run time meets the same sentence then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from moonq import assets
from moonq.registry.draft import Draft, Drafts
from moonq.registry.lua.text import LuaText
from moonq.registry.lua.tokens import Token
from moonq.registry.script import IMPORTS, Script
from moonq.registry.yaml import editing
from moonq.registry.yaml.nodes import List, Node, Scalar
from moonq.text import extras
from moonq.text.findings import Finding, Span, error
from moonq.text.suggestions import close, question

#: What every script may require, as it has them without `require`.
BUILT_IN = {"_G", "coroutine", "debug", "io", "math", "os", "string", "table", "utf8"}
_OPENERS = {"function", "if", "do", "repeat"}
_CLOSERS = {"end", "until"}


class Required(NamedTuple):
    """One `require` of a script."""

    name: str
    line: int
    column: int
    length: int
    is_certain: bool
    """Whether it runs with the file; else it may be a try that nobody expects to succeed."""


def scan(text: LuaText) -> tuple[list[Required], bool]:
    """Return every `require("name")` in *text*, and whether some names are made at run time."""
    if b"require" not in text.data:
        return [], False
    words = list(text.tokens())
    found = []
    dynamic = False
    depth = 0
    for at, word in enumerate(words):
        if word.kind == "name":
            depth += (word.text in _OPENERS) - (word.text in _CLOSERS)
        if word.kind != "name" or word.text != "require" or _is_field(words, at):
            continue
        after = words[at + 1 : at + 4]
        if after and after[0].text == "(":
            after = after[1:] if len(after) > 2 and after[2].text == ")" else []
        if after and after[0].kind == "string":
            text_token = after[0]
            name = text_token.text
            is_certain = depth == 0 and words[at - 1].text not in {"and", "or"}
            place = (text_token.line, text_token.column, len(name))
            found.append(Required(name[1:-1], *place, is_certain))
        else:
            dynamic = True
    return found, dynamic


def _reached(text: LuaText) -> set[str]:
    """The names that *text* takes something out of: what is not required may be meant there."""
    words = list(text.tokens())
    return {
        word.text
        for at, word in enumerate(words[:-1])
        if word.kind == "name" and words[at + 1].text in {".", ":"} and not _is_field(words, at)
    }


def _is_field(words: list[Token], at: int) -> bool:
    return at > 0 and words[at - 1].text in {".", ":", "function"}


def check(draft: Draft, script: Script, text: LuaText, drafts: Drafts) -> list[Finding]:
    """Return what is wrong between the requires of *text* and the declarations of *draft*."""
    required, dynamic = scan(text)
    declared = {*script.modules, *script.imports}
    findings = _unknown_modules(draft, script) + _not_installed(draft, script)
    seen: set[str] = set(BUILT_IN - declared)
    for one in sorted(required, key=lambda one: not one.is_certain):
        if one.name not in declared and one.name not in seen:
            findings.append(_undeclared(draft, one, text, drafts))
        seen.add(one.name)
    unused = set() if dynamic else declared - seen - {"errors"}
    if unused:
        findings += [
            _unused(draft, script, name)
            for name in sorted(unused - _reached(text))
            if name in script.imports or name in assets.stdlib_modules()
        ]
    return findings


def _unknown_modules(draft: Draft, script: Script) -> list[Finding]:
    return [
        _no_module(name, draft.span_of("modules", at, label="no such module"), is_certain=True)
        for at, name in enumerate(script.modules)
        if name not in assets.stdlib_modules()
    ]


def _not_installed(draft: Draft, script: Script) -> list[Finding]:
    """Return the modules that would fail at every call: messages are not to die of that."""
    return [
        error(
            "L304",
            f"the library behind the module `{name}` is not installed",
            draft.span_of("modules", at, label=f"needs {extras.BEHIND[name]}"),
            help=f"install it: {extras.pip(name)}",
        )
        for at, name in enumerate(script.modules)
        if extras.is_missing(name)
    ]


def _no_module(name: str, span: Span, *, is_certain: bool) -> Finding:
    known = assets.stdlib_modules()
    likely = question(close(name, known))
    return error(
        "L303",
        f"there is no module `{name}`",
        span,
        note="" if likely else f"the modules are {', '.join(sorted(known))}",
        help=likely or "name your own libraries in `imports`",
        severity="error" if is_certain else "warning",
    )


def _undeclared(draft: Draft, one: Required, text: LuaText, drafts: Drafts) -> Finding:
    here = text.span(one.line, one.column, one.length)
    library = next(
        (d for d in drafts.values() if IMPORTS.accepts(d.kind) and d.name == one.name), None
    )
    if one.name not in assets.stdlib_modules() and library is None:
        return _no_module(one.name, here, is_certain=one.is_certain)
    field = "imports" if library else "modules"
    written = f"{one.name}: {library.id}" if library else one.name
    found = error(
        "L301",
        f"`{one.name}` is required but not declared for {draft.id}",
        here,
        _declaration(draft, field, written),
        note="an entry may only load what its YAML lists; that is the sandbox",
    )
    item = (one.name, library.id) if library else one.name
    edits = editing.added(draft.source, draft.node, field, item)
    return replace(found, edits=edits, helps=("`moonq check --fix` adds it",) if edits else ())


def _declaration(draft: Draft, field: str, written: str) -> Span:
    """The place in YAML where the declaration is missing."""
    node = draft.node.get(field)
    if node is None:
        example = f"[{written}]" if field == "modules" else f"{{{written}}}"
        return draft.span(None, f"add `{field}: {example}` here", primary=False)
    length = node.length
    if isinstance(node, List) and node.items:
        length = _width(draft, node)
    at = Node(node.line, node.column, length, source=node.source)
    return draft.span(at, f"add `{written}` here", primary=False)


def _width(draft: Draft, node: List) -> int:
    """How much of the first line a list covers, so that the whole `[a, b]` is marked."""
    line = draft.source_of(node).line(node.line)
    if line[node.column - 1 : node.column] == "[":
        close_at = line.find("]", node.column)
        return close_at - node.column + 2 if close_at >= 0 else 1
    first = node.items[0]
    return first.column + first.length - node.column if isinstance(first, Scalar) else 1


def _unused(draft: Draft, script: Script, name: str) -> Finding:
    field = "imports" if name in script.imports else "modules"
    word = "import" if field == "imports" else "module"
    found = error(
        "L302",
        f"{word} `{name}` is declared but never required",
        draft.span_of(field, name),
        help=f"remove `{name}` from `{field}`, so that the script can do no more than it needs",
        severity="warning",
    )
    return replace(found, edits=editing.removed(draft.source, draft.node, field, name))
