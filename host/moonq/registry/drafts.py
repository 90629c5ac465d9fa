"""Reads the entries of a file: what stands in it, checked kind by kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from moonq.registry import hidden
from moonq.registry.draft import Draft, Drafts
from moonq.registry.kind import Kinds
from moonq.registry.overrides import NOTHING, Said
from moonq.registry.problems import Problems
from moonq.registry.profiles import Choice, lay_over
from moonq.registry.yaml.nodes import List, Map, Scalar
from moonq.registry.yaml.values import Values
from moonq.text.findings import Finding, Source, Span, error
from moonq.text.suggestions import close, question

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass
class Reader:
    """Reads entries of the given kinds."""

    kinds: Kinds
    env: Mapping[str, str]
    findings: list[Finding]
    choice: Choice
    said: Said = NOTHING
    filled: set[hidden.Pair] = field(default_factory=set)
    """What came from the environment, and what is written in its place."""

    def read(self, source: Source, namespace: str, entries: List) -> Iterator[Draft]:
        """Yield the drafts of one file."""
        for node in entries.items:
            if not isinstance(node, Map):
                message = "an entry must be a map with `name` and `kind`"
                help_ = "write `- name: …` and `kind: …` below it"
                self._add("R207", message, source.at(node, "this is no map"), help=help_)
            elif draft := self._draft(source, namespace, node):
                self.choice.lay_over(draft, self.findings)
                self._override(draft)
                self._check(draft)
                yield draft

    def _override(self, draft: Draft) -> None:
        """Give *draft* what the command says of it."""
        for flag in self.said.about(draft.id):
            kind = self.kinds.get(draft.kind)
            above = flag.tree(kind.model if kind else None, self.findings)
            if above is not None:
                lay_over(draft, above, flag.option, self.findings)

    def by_id(self, found: Iterable[Draft]) -> Drafts:
        """Return the drafts by id; of two with one id the first stays, the second is a finding."""
        drafts = Drafts()
        for draft in found:
            first = drafts.setdefault(draft.id, draft)
            if first is not draft:
                self._add(
                    "R205",
                    f"two entries have the id `{draft.id}`",
                    draft.span(None, "the second one"),
                    first.span(None, "the first one", primary=False),
                    help="rename one of them",
                )
        return drafts

    def _add(self, code: str, message: str, *spans: Span, **more: Any) -> None:
        self.findings.append(error(code, message, *spans, **more))

    def _draft(self, source: Source, namespace: str, node: Map) -> Draft | None:
        draft = Draft(source, node, namespace, "", "")
        texts = {}
        for key in ("name", "kind"):
            value = node.get(key)
            if isinstance(value, Scalar) and value.text:
                texts[key] = value.text
            elif value is not None:
                self._add("R207", f"`{key}` must be text", draft.span(value, f"no {key} here"))
            else:
                self._lacks(draft, key)
        if len(texts) < 2:
            return None
        draft.name, draft.kind = texts["name"], texts["kind"]
        if not _NAME.fullmatch(draft.name):
            self._add(
                "R212",
                f"`{draft.name}` is no name for an entry",
                draft.span(node.get("name")),
                help="use letters, digits, `_`, `.` and `-`, and begin with a letter",
            )
        return draft

    def _lacks(self, draft: Draft, key: str) -> None:
        near = close(key, draft.node.items, limit=1)
        wrong = draft.node.key(near[0]) if near else None
        label = f"did you mean `{key}`?" if wrong else f"no `{key}` here"
        message = f"an entry needs a field `{key}`"
        self._add("R211", message, draft.span(wrong, label), help=f"add `{key}: …`")

    def _check(self, draft: Draft) -> None:
        kind = self.kinds.get(draft.kind)
        if kind is None:
            self._unknown_kind(draft)
            return
        model = kind.model
        data = Values(draft.source, self.env, self.findings).of(draft.node)
        self.filled.update(hidden.pairs(draft.node, data))
        # Names are ids: what looks like a number is a name all the same.
        data["name"], data["kind"] = draft.name, draft.kind
        if model.options_later:
            draft.options = data.pop("options", None)
        try:
            draft.config = model.model_validate(data)
        except ValidationError as problem:
            problems = Problems(draft.source, draft.node, model, f"a {draft.kind}")
            self.findings += problems.of(problem)
            wrong = {details["loc"][0] for details in problem.errors() if details["loc"]}
            right = {key: value for key, value in data.items() if key not in wrong}
            draft.partial = model.model_construct(**right)

    def _unknown_kind(self, draft: Draft) -> None:
        written = draft.kind.lower()
        meant = (kind for kind in self.kinds.values() if written in kind.aliases)
        alias = next((f"{kind.aliases[written]} is `{kind.name}`" for kind in meant), "")
        help_ = alias or question(close(draft.kind, self.kinds))
        known = ", ".join(f"`{kind}`" for kind in self.kinds)
        self._add(
            "R201",
            f"unknown entry kind `{draft.kind}`",
            draft.span(draft.node.get("kind"), "no such kind"),
            help=help_,
            note="" if help_ else f"the kinds are {known}",
        )
