"""Lays one tree of nodes over another, by the rules of JSON Merge Patch (RFC 7396).

    {retry: {max_attempts: 10, max_delay: 15m}, groups: [a, b], tls: {ca: x}}     # below
    {retry: {max_attempts: 3}, groups: [c], tls: null}                            # above
    {retry: {max_attempts: 3, max_delay: 15m}, groups: [c]}                       # merged

Maps are merged key by key, `null` takes a key away, everything else is replaced as a whole.
"""

from __future__ import annotations

from dataclasses import replace

from moonq.registry.yaml.nodes import List, Map, Node, Scalar
from moonq.registry.yaml.scalars import is_null
from moonq.text.findings import Source


def merged(below: Node | None, above: Node) -> Node:
    """Return *above* laid over *below*; where they meet it has the place of *above*."""
    if not isinstance(above, Map):
        return above
    items = dict(below.items) if isinstance(below, Map) else {}
    for name, (key, value) in above.items.items():
        if isinstance(value, Scalar) and value.plain and is_null(value.text):
            items.pop(name, None)
        else:
            before = items.get(name)
            items[name] = (key, merged(before[1] if before else None, value))
    return replace(above, items=items)


def brought(node: Node, source: Source) -> Node:
    """Return *node* with all below it as they know themselves in a tree of another file."""
    if isinstance(node, Map):
        pairs = node.items.items()
        items = {
            name: (replace(key, source=source), brought(one, source)) for name, (key, one) in pairs
        }
        return replace(node, items=items, source=source)
    if isinstance(node, List):
        return replace(node, items=[brought(one, source) for one in node.items], source=source)
    return replace(node, source=source)
