"""Finds entries that need each other in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from moonq.registry.draft import Draft, Drafts, Edge
from moonq.registry.kind import Kinds
from moonq.registry.yaml.nodes import locate
from moonq.text.findings import Finding, Span, error


def find(drafts: Drafts, kinds: Kinds) -> list[Finding]:
    """Return a finding for each circle; entries of one circle are not searched again."""
    done: set[str] = set()
    findings = []
    for id_ in drafts:
        circle = _walk(drafts, id_, done)
        if circle:
            findings.append(_finding(drafts, kinds, circle))
    return findings


def _walk(drafts: Drafts, start: str, done: set[str]) -> list[str]:
    """The first circle reachable from *start*, as ids with the first one again at the end."""
    if start in done:
        return []
    path = [start]
    waiting = [_edges(drafts[start])]
    circle: list[str] = []
    while path:
        edge = next(waiting[-1], None)
        if edge is None:
            done.add(path.pop())
            waiting.pop()
        elif edge.needs in path:
            circle = circle or [*path[path.index(edge.needs) :], edge.needs]
        elif edge.needs not in done:
            path.append(edge.needs)
            waiting.append(_edges(drafts[edge.needs]))
    return circle


def _finding(drafts: Drafts, kinds: Kinds, circle: list[str]) -> Finding:
    edges = [(drafts[a], _edge(drafts[a], b)) for a, b in pairwise(circle)]
    widest = max(len(draft.id) + len(_field(edge)) for draft, edge in edges)
    spans = []
    for draft, edge in edges:
        node = locate(draft.node, edge.path)
        line = "─" * (widest - len(draft.id) - len(_field(edge)) + 2)
        label = f"{draft.id}  ── {_field(edge)} {line}▶ {edge.needs}"
        spans.append(Span(draft.source_of(node).file, node.line, node.column, node.length, label))
    return error("R204", _message(circle), *spans, help=_help(drafts, kinds, circle))


def _edges(draft: Draft) -> Iterator[Edge]:
    return (edge for edge in draft.edges if edge.needs)


def _edge(draft: Draft, target: str) -> Edge:
    return next(edge for edge in draft.edges if edge.needs == target)


def _field(edge: Edge) -> str:
    """The field's name; `lifecycle.` and the place in a list are noise here."""
    return str(edge.path[1] if edge.path[0] == "lifecycle" else edge.path[0])


def _message(circle: list[str]) -> str:
    if len(circle) == 2:
        return "this entry needs itself, so it cannot start"
    return "these entries need each other, so none can start"


def _help(drafts: Drafts, kinds: Kinds, circle: list[str]) -> str:
    ids = circle[:-1]
    same = {drafts[id_].kind for id_ in ids}
    kind = kinds.get(same.pop()) if len(ids) > 1 and len(same) == 1 else None
    if kind and kind.circle_help:
        return kind.circle_help.format(ids[0], ids[-1])
    return "remove one of these references"
