"""What `moonq check` sees beyond what keeps a project from being loaded.

    checked = check(Path("shop"))
    checked.project, checked.findings

Loading says what is wrong; here is said what looks wrong to a person who reads the files. None of
it keeps a host from starting, so all of it is a warning or a note. `parsing` makes a tree of a Lua
text, `walking` notes what it does with `names`, `doubts` compares that with what there is (`stock`,
`offers`); `entries` and `rights` look at the YAML.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from moonq import kinds
from moonq.checking import entries, rights
from moonq.checking.doubts import doubts
from moonq.checking.reading import Owner
from moonq.kinds.module import PythonModule
from moonq.kinds.variable import Variable
from moonq.registry import Project, discovery
from moonq.registry.draft import Draft, Drafts
from moonq.registry.lua import scripts, syntax
from moonq.registry.lua.text import LuaText
from moonq.registry.overrides import NOTHING, Said
from moonq.registry.script import IMPORTS, Script
from moonq.sandbox.syntax import check as compiles
from moonq.text.findings import Finding, by_place

TEST = "_test.lua"
#: The code of a variable of the environment that is not set.
UNSET = "R213"


class Checked(NamedTuple):
    """A project, None if it has errors, with all that can be said about it."""

    project: Project | None
    findings: list[Finding]
    profiles: tuple[str, ...]
    """Those that were looked at: all there are, or the one that was asked for."""


def check(
    path: Path,
    *,
    env: Mapping[str, str] = os.environ,
    profile: str = "",
    said: Said = NOTHING,
) -> Checked:
    """Look at the project at *path*: a folder, or a single YAML file.

    That is with *profile* laid over it; without one it is looked at alone and with each there is,
    and findings name the profiles without which they are not.
    """
    if profile:
        found = _checked(path, env, profile, said)
        return found._replace(profiles=tuple(one for one in found.profiles if one == profile))
    base = _checked(path, env, "", said)
    known = frozenset(base.findings)
    more: dict[Finding, list[str]] = {}
    for name in base.profiles:
        for one in _checked(path, env, name, said).findings:
            if one not in known:
                more.setdefault(_milder(one), []).append(name)
    findings = [replace(one, profiles=tuple(names)) for one, names in more.items()]
    return base._replace(findings=by_place([*base.findings, *findings]))


def _milder(finding: Finding) -> Finding:
    """A variable that only another profile needs is often set only where that one is used."""
    return replace(finding, severity="note") if finding.code == UNSET else finding


def _checked(path: Path, env: Mapping[str, str], profile: str, said: Said) -> Checked:
    loaded = kinds.read(path, env=env, profile=profile, said=said)
    tests = list(_tests(loaded.root, loaded.drafts)) if loaded.root and path.is_dir() else []
    broken = [found for test in tests if (found := syntax.check(test, compiles))]
    findings = [*loaded.findings, *broken]
    findings += entries.unserved(loaded.drafts)
    findings += entries.unset(loaded.drafts, env)
    findings += rights.rights(loaded.drafts)
    unreadable = {found.place[0] for found in findings if found.code.startswith("P1")}
    texts = [*_scripts(loaded.drafts), *_with_owner(tests)]
    for text, owner in texts:
        if text.shown.file not in unreadable:
            findings += doubts(text, owner)
    # Entries that share a file share its faults.
    findings = by_place(dict.fromkeys(findings))
    project = None if broken else loaded.project
    return Checked(project, findings, loaded.profiles)


def _scripts(drafts: Drafts) -> Iterator[tuple[LuaText, Owner]]:
    known = {id_: draft.kind for id_, draft in (drafts.implied | drafts).items()}
    fields = (draft.config for draft in drafts.values())
    variables = tuple(one.variable for one in fields if isinstance(one, Variable))
    functions = {
        id_: draft.config.functions
        for id_, draft in drafts.items()
        if isinstance(draft.config, PythonModule)
    }
    for draft in drafts.values():
        if draft.script and isinstance(draft.fields, Script):
            yield (
                draft.script,
                Owner(
                    draft.full,
                    known,
                    variables,
                    frozenset(draft.fields.imports),
                    is_library=IMPORTS.accepts(draft.kind),
                    is_test=_is_test(draft),
                    lends={
                        alias: tuple(lent)
                        for alias, target in draft.fields.imports.items()
                        if (lent := functions.get(draft.full(target))) is not None
                    },
                ),
            )


def _is_test(draft: Draft) -> bool:
    fields = draft.fields
    return draft.script is not None and (
        (fields is not None and fields.meta.get("type") == "test")
        or draft.script.shown.file.endswith(TEST)
    )


def _tests(root: Path, drafts: Drafts) -> Iterator[LuaText]:
    """Yield the test files of the project that are no entry's text."""
    taken = {draft.script.shown.file for draft in drafts.values() if draft.script}
    for folder, files in discovery.folders(root):
        for name in files:
            path = folder / name
            shown = path.relative_to(root).as_posix()
            if name.endswith(TEST) and shown not in taken and path.is_file():
                text = scripts.file_text(path, shown)
                if text is not None:
                    yield text


def _with_owner(tests: list[LuaText]) -> Iterator[tuple[LuaText, Owner]]:
    for test in tests:
        yield test, Owner(lambda name: name, is_test=True)
