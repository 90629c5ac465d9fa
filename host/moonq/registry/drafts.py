"""Entries while they are being read: what stands in the files, checked kind by kind.

A draft whose fields are wrong stays known by its id, so that one mistake does not make every
reference to it a second one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from moonq.kinds.table import ALIASES, KINDS
from moonq.registry.common import Config
from moonq.registry.lua.text import LuaText
from moonq.registry.problems import Problems
from moonq.registry.yaml.nodes import List, Map, Node, Path, Scalar
from moonq.registry.yaml.values import Values
from moonq.text.findings import Finding, Source, Span
from moonq.text.suggestions import close, question

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Edge:
    """One reference: the field it stands in and the entry it leads to."""

    path: Path
    target: str


@dataclass(eq=False)
class Draft:
    """One entry on its way to be an `Entry`."""

    source: Source
    node: Map
    namespace: str
    name: str
    kind: str
    config: Config | None = None
    partial: Config | None = None
    """Of a faulty entry the fields that are right: their references are checked all the same."""
    options: Any = None
    """The written `options`, which only the driver's model can check."""
    edges: list[Edge] = field(default_factory=list)
    script: LuaText | None = None

    @property
    def id(self) -> str:
        """The full id."""
        return f"{self.namespace}:{self.name}"

    @property
    def fields(self) -> Config | None:
        """Whatever is known of the fields."""
        return self.config or self.partial

    @property
    def place(self) -> str:
        """File and line, for a hint that points here."""
        return f"{self.source.file}:{(self.node.get('name') or self.node).line}"

    def span(self, node: Node | None, label: str = "", **more: Any) -> Span:
        """Return the span of *node*, or of the entry's name without one."""
        at = node or self.node.get("name") or self.node
        return self.source.span(at.line, at.column, at.length, label, **more)


def read_entries(
    source: Source, namespace: str, entries: List, env: Mapping[str, str]
) -> tuple[list[Draft], list[Finding]]:
    """Return the drafts of one file and what is wrong with them."""
    drafts: list[Draft] = []
    findings: list[Finding] = []
    for node in entries.items:
        if isinstance(node, Map):
            draft = _draft(source, namespace, node, findings)
            if draft:
                _check(draft, env, findings)
                drafts.append(draft)
        else:
            findings.append(
                Finding(
                    "error",
                    "R207",
                    "an entry must be a map with `name` and `kind`",
                    (source.span(node.line, node.column, node.length, "this is no map"),),
                    (),
                    ("write `- name: …` and `kind: …` below it",),
                )
            )
    return drafts, findings


def _draft(source: Source, namespace: str, node: Map, findings: list[Finding]) -> Draft | None:
    draft = Draft(source, node, namespace, "", "")
    texts = {}
    for key in ("name", "kind"):
        value = node.get(key)
        if isinstance(value, Scalar) and value.text:
            texts[key] = value.text
        elif value is not None:
            findings.append(
                _error("R207", f"`{key}` must be text", draft.span(value, f"no {key} here"))
            )
        else:
            findings.append(_lacks(draft, key))
    if len(texts) < 2:
        return None
    draft.name, draft.kind = texts["name"], texts["kind"]
    if not _NAME.fullmatch(draft.name):
        findings.append(
            _error(
                "R212",
                f"`{draft.name}` is no name for an entry",
                draft.span(node.get("name")),
                help="use letters, digits, `_`, `.` and `-`, and begin with a letter",
            )
        )
    return draft


def _lacks(draft: Draft, key: str) -> Finding:
    near = close(key, draft.node.items, limit=1)
    wrong = draft.node.key(near[0]) if near else None
    label = f"did you mean `{key}`?" if wrong else f"no `{key}` here"
    return _error(
        "R211", f"an entry needs a field `{key}`", draft.span(wrong, label), help=f"add `{key}: …`"
    )


def _check(draft: Draft, env: Mapping[str, str], findings: list[Finding]) -> None:
    model = KINDS.get(draft.kind)
    if model is None:
        findings.append(_unknown_kind(draft))
        return
    values = Values(draft.source, env)
    data = values.of(draft.node)
    findings += values.findings
    # Names are ids: what looks like a number is a name all the same.
    data["name"], data["kind"] = draft.name, draft.kind
    if model.options_from:
        draft.options = data.pop("options", None)
    try:
        draft.config = model.model_validate(data)
    except ValidationError as error:
        problems = Problems(draft.source, draft.node, model, f"a {draft.kind}")
        findings += problems.of(error)
        wrong = {details["loc"][0] for details in error.errors() if details["loc"]}
        right = {key: value for key, value in data.items() if key not in wrong}
        draft.partial = model.model_construct(**right)


def _unknown_kind(draft: Draft) -> Finding:
    node = draft.node.get("kind")
    name, target = ALIASES.get(draft.kind.lower(), ("", ""))
    alias = f"{name} is `{target}`" if target in KINDS else ""
    help_ = alias or question(close(draft.kind, KINDS))
    return Finding(
        "error",
        "R201",
        f"unknown entry kind `{draft.kind}`",
        (draft.span(node, "no such kind"),),
        () if help_ else (f"the kinds are {', '.join(f'`{kind}`' for kind in KINDS)}",),
        (help_,) if help_ else (),
    )


def without_doubles(drafts: Iterable[Draft], findings: list[Finding]) -> dict[str, Draft]:
    """Return the drafts by id; of two with one id the first stays, the second is a finding."""
    by_id: dict[str, Draft] = {}
    for draft in drafts:
        first = by_id.setdefault(draft.id, draft)
        if first is not draft:
            findings.append(
                _error(
                    "R205",
                    f"two entries have the id `{draft.id}`",
                    draft.span(None, "the second one"),
                    first.span(None, "the first one", primary=False),
                    help="rename one of them",
                )
            )
    return by_id


def _error(code: str, message: str, *spans: Span, help: str = "") -> Finding:  # noqa: A002
    return Finding("error", code, message, spans, (), (help,) if help else ())
