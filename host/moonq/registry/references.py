"""Follows references: bare names become full ids, and what leads nowhere is a finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from moonq.registry import names
from moonq.registry.draft import Draft, Drafts, Edge
from moonq.registry.fields import Ref
from moonq.registry.kind import Kinds
from moonq.registry.problems import dotted
from moonq.registry.yaml.nodes import Path, locate
from moonq.text.findings import Finding, error
from moonq.text.suggestions import close, question

M = TypeVar("M", bound=BaseModel)
Visit = Callable[[Path, str, Ref], str]
#: Where hundreds of references lead nowhere, one cause is behind them; hints for the first are
#: enough, and comparing every name with every other takes its time.
HINTS = 40


def resolve(drafts: Drafts, kinds: Kinds) -> list[Finding]:
    """Replace the references of *drafts* by full ids, note the edges, say what is wrong."""
    for draft in drafts.values():
        kind = kinds.get(draft.kind)
        implied = kind.implied(draft) if kind else None
        if implied:
            drafts.implied[implied] = draft
    resolver = _Resolver(drafts)
    for draft in drafts.values():
        if draft.config is not None:
            draft.config = _mapped(draft.config, resolver.of(draft))
        elif draft.partial is not None:
            _mapped(draft.partial, resolver.of(draft))
    return resolver.findings


def _mapped(model: M, visit: Visit, path: Path = ()) -> M:
    """*model* with every reference in it replaced by what *visit* answers."""
    changed: dict[str, Any] = {}
    for name, info in type(model).model_fields.items():
        if name not in model.model_fields_set:
            continue
        value = getattr(model, name)
        ref = next((mark for mark in info.metadata if isinstance(mark, Ref)), None)
        here = (*path, name)
        if isinstance(value, BaseModel):
            changed[name] = _mapped(value, visit, here)
        elif ref and isinstance(value, str):
            changed[name] = visit(here, value, ref)
        elif ref and isinstance(value, list):
            changed[name] = [visit((*here, at), item, ref) for at, item in enumerate(value)]
        elif ref and isinstance(value, dict):
            changed[name] = {key: visit((*here, key), item, ref) for key, item in value.items()}
    return model.model_copy(update=changed) if changed else model


class _Resolver:
    """Knows which ids there are, written down or implied."""

    def __init__(self, drafts: Drafts) -> None:
        self.drafts = drafts
        self.findings: list[Finding] = []
        self.hints = HINTS

    def of(self, draft: Draft) -> Visit:
        def visit(path: Path, written: str, ref: Ref) -> str:
            id_ = draft.full(written)
            target = self.drafts.find(id_)
            if target is None:
                self.findings.append(self._unknown(draft, path, written, ref))
            elif not ref.accepts(target.kind) and target.config is not None:
                self.findings.append(_wrong_kind(draft, path, target, ref))
            else:
                is_own = target is draft and id_ != draft.id
                field = ref.called or str(path[0])
                draft.edges.append(Edge(path, field, id_, "" if is_own else target.id))
            return id_

        return visit

    def _unknown(self, draft: Draft, path: Path, written: str, ref: Ref) -> Finding:
        return error(
            "R202",
            f"`{dotted(path)}` refers to an entry that does not exist",
            draft.span_of(
                *path,
                label=f"no entry `{draft.full(written)}`",
                # The line above says which entry this is, where it belongs to the same one.
                since=max(draft.node.line, locate(draft.node, path).line - 1),
            ),
            help=self._likely(draft, written, ref),
        )

    def _likely(self, draft: Draft, written: str, ref: Ref) -> str:
        self.hints -= 1
        if self.hints < 0:
            return ""
        fitting = [
            other
            for other in self.drafts.values()
            if ref.accepts(other.kind) and other is not draft
        ]
        elsewhere = sorted(other.id for other in fitting if other.name == names.bare(written))
        if ":" in written:
            near = elsewhere or close(written, (other.id for other in fitting))
        else:
            mine = (other.name for other in fitting if other.namespace == draft.namespace)
            near = elsewhere or close(written, mine)
        if not near:
            return _the_few(fitting, ref)
        if len(near) > 1:
            return question(near[:3])
        only = self.drafts[draft.full(near[0])]
        return f"{question(near)}  ({only.kind}, {only.place})"


def _the_few(fitting: list[Draft], ref: Ref) -> str:
    kind = ref.wanted
    if not kind:
        return ""
    if not fitting:
        return f"the project has no {kind} yet"
    names = ", ".join(f"`{other.id}`" for other in fitting[:5])
    more = f" and {len(fitting) - 5} more" if len(fitting) > 5 else ""
    return f"of kind {kind} there is {names}{more}"


def _wrong_kind(draft: Draft, path: Path, target: Draft, ref: Ref) -> Finding:
    return error(
        "R209",
        f"`{dotted(path)}` must be a {ref.wanted}, but `{target.id}` is a {target.kind}",
        draft.span_of(*path, label=f"{target.kind}, {target.place}"),
        help=ref.instead.get(target.kind, "").format(target.id),
    )
