"""Finds entries that need each other in a circle."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from moonq.registry.drafts import Draft, Edge
from moonq.registry.yaml.nodes import locate
from moonq.text.findings import Finding, Span


def find(drafts: Mapping[str, Draft]) -> list[Finding]:
    """Return a finding for each circle; entries of one circle are not searched again."""
    done: set[str] = set()
    findings = []
    for id_ in drafts:
        circle = _walk(drafts, id_, done)
        if circle:
            findings.append(_finding(drafts, circle))
    return findings


def _walk(drafts: Mapping[str, Draft], start: str, done: set[str]) -> list[str]:
    """The first circle reachable from *start*, as ids with the first one again at the end."""
    if start in done:
        return []
    path = [start]
    waiting = [iter(drafts[start].edges)]
    circle: list[str] = []
    while path:
        edge = next(waiting[-1], None)
        if edge is None:
            done.add(path.pop())
            waiting.pop()
        elif edge.target in path:
            circle = circle or [*path[path.index(edge.target) :], edge.target]
        elif edge.target not in done:
            path.append(edge.target)
            waiting.append(iter(drafts[edge.target].edges))
    return circle


def _finding(drafts: Mapping[str, Draft], circle: list[str]) -> Finding:
    edges = [(drafts[a], _edge(drafts[a], b)) for a, b in pairwise(circle)]
    widest = max(len(draft.id) + len(_field(edge)) for draft, edge in edges)
    spans = []
    for draft, edge in edges:
        node = locate(draft.node, edge.path)
        line = "─" * (widest - len(draft.id) - len(_field(edge)) + 2)
        label = f"{draft.id}  ── {_field(edge)} {line}▶ {edge.target}"
        spans.append(Span(draft.source.file, node.line, node.column, node.length, label))
    return Finding("error", "R204", _message(circle), tuple(spans), (), _help(drafts, circle))


def _edge(draft: Draft, target: str) -> Edge:
    return next(edge for edge in draft.edges if edge.target == target)


def _field(edge: Edge) -> str:
    """The field's name; `lifecycle.` and the place in a list are noise here."""
    return str(edge.path[1] if edge.path[0] == "lifecycle" else edge.path[0])


def _message(circle: list[str]) -> str:
    if len(circle) == 2:
        return "this entry needs itself, so it cannot start"
    return "these entries need each other, so none can start"


def _help(drafts: Mapping[str, Draft], circle: list[str]) -> tuple[str, ...]:
    ids = circle[:-1]
    if len(ids) > 1 and all(drafts[id_].kind == "library.lua" for id_ in ids):
        return (f"move what `{ids[0]}` and `{ids[-1]}` share into another library.lua",)
    return ("remove one of these references",)
