"""Entries of a project: a list, one with its fields, and how they hang together."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from moonq.text.plain import visible
from moonq.text.wording import cut_before
from moonq.text.wording import origin as written
from moonq.views.screen import Screen
from moonq.views.tables import Column, Found, facts, get, table

#: What scripts do to other entries; all other edges are fields of entries.
SENT = ("publishes", "calls")
Edges = Sequence[Mapping[str, str]]


def entries(found: Found, screen: Screen) -> Iterator[str]:
    """Yield a list of entries."""
    if not found["entries"]:
        return  # the notes say it: in a pipe ids are for other commands
    columns = [
        Column("entry", get("id"), is_id=True),
        Column("kind", get("kind"), drop=1),
        Column("written at", _place, is_id=True),
    ]
    # In a pipe the ids are for other commands, so there is no head to be taken for one.
    yield from table(columns, found["entries"], screen, has_head=screen.width > 0)


def _place(one: Found) -> str:
    return f"{one['file']}:{one['line']}"


def entry(found: Found, screen: Screen) -> Iterator[str]:
    """Yield one entry: its fields, what it needs, and who needs it."""
    kind = f"{found['kind']}  {_place(found)}"
    changed = found.get("origins", {}).get("kind", {})
    if changed and (changed["profile"] or changed["file"] != found["file"]):
        kind = f"{found['kind']}  {_place(found)}{_origin('kind', found['origins'])}"
    yield screen.plain(f"{screen.paint('bold', visible(found['id']))}  {visible(kind)}")
    shown = {name: value for name, value in found["fields"].items() if name != "lifecycle"}
    shown["lifecycle"] = _unusual(found["fields"].get("lifecycle") or {})
    shown |= {"source": found.get("source")}
    shown |= {"needs": found["depends_on"], "needed by": found["used_by"]}
    texts = ((name, _text(value)) for name, value in shown.items())
    origins = found.get("origins", {})
    told = [(name, f"{text}{_origin(name, origins)}") for name, text in texts if text]
    yield from facts(told, screen, least=12, indent="  ")
    if found.get("annotations"):
        yield ""
        yield from (screen.lua(f"  {line}") for line in found["annotations"].splitlines())


def _origin(name: str, origins: Mapping[str, Found]) -> str:
    """Where the value of a field was written; nothing for a default."""
    inside = (one for path, one in origins.items() if path == name or path.startswith(f"{name}."))
    places = dict.fromkeys(map(written, inside))
    return f"  ({', '.join(places)})" if places else ""


def _unusual(lifecycle: Found) -> dict[str, Any]:
    """What of an entry's lifecycle is not as everywhere."""
    from moonq.registry.common import Lifecycle

    usual = Lifecycle().model_dump(mode="json")
    return {name: value for name, value in lifecycle.items() if value != usual.get(name)}


def _text(value: Any) -> str:
    """A field's value as YAML people write it, on one line; empty when there is nothing to say."""
    if isinstance(value, str):
        return value.splitlines()[0] + " …" if "\n" in value else value
    if isinstance(value, dict):
        parts = ((name, _text(part)) for name, part in value.items())
        return ", ".join(f"{name}: {text}" for name, text in parts if text)
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "" if value is None else json.dumps(value, ensure_ascii=False)


# Graphs ---------------------------------------------------------------------------------------


def graph(found: Found, screen: Screen, *, middle: str = "", form: str = "tree") -> Iterator[str]:
    """Yield entries with what they need, as `tree` (from *middle*), `dot` or `mermaid`."""
    nodes, edges = found["nodes"], found["edges"]
    if form != "tree":
        drawn = _dot(nodes, edges) if form == "dot" else _mermaid(nodes, edges)
        yield from map(visible, drawn)
        return
    kinds = {node["id"]: node["kind"] for node in nodes}
    needs, users = _by(edges, "from"), _by(edges, "to")
    for at, root in enumerate([middle] if middle else _roots(kinds, edges)):
        if at:
            yield ""
        yield from _tree(root, kinds, needs, users, screen)


def _roots(kinds: Mapping[str, str], edges: Edges) -> list[str]:
    """What nothing needs, and of circles whom no field names: from there everything is reached."""
    needed = {edge["to"] for edge in edges}
    named = {edge["to"] for edge in edges if edge["field"] not in SENT}
    below = _by(edges, "from")
    roots: list[str] = []
    reached: set[str] = set()
    for others in (needed, named, set[str]()):
        for name in kinds:
            if name not in others and name not in reached:
                roots.append(name)
                waiting = [name]
                while waiting:
                    current = waiting.pop()
                    if current not in reached:
                        reached.add(current)
                        waiting += (edge["to"] for edge in below.get(current, ()))
    return sorted(roots, key=[*kinds].index)


def _by(edges: Edges, end: str) -> Mapping[str, list[Mapping[str, str]]]:
    """Return *edges* by the entry at one of their ends."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for edge in edges:
        found.setdefault(edge[end], []).append(edge)
    return found


def _tree(
    root: str,
    kinds: Mapping[str, str],
    needs: Mapping[str, Edges],
    users: Mapping[str, Edges],
    screen: Screen,
) -> Iterator[str]:
    def line(lead: str, name: str, *, field: str = "", does: str = "", style: str = "") -> str:
        """What does not fit goes: first the kind, then the beginning of the id."""
        taken = sum(len(word) + 2 for word in (field, does) if word)
        room = (screen.width or sys.maxsize) - len(lead) - taken
        kind, name = visible(kinds.get(name, "")), cut_before(visible(name), room)
        kind = kind if len(f"{name}  {kind}") <= room else ""
        told = (("dim", visible(field)), (style, name), ("dim", kind), ("dim", does))
        parts = (screen.paint(*one) for one in told)
        return screen.plain(lead) + "  ".join(filter(None, parts))

    def branches(name: str, indent: str, above: frozenset[str], *, more: bool) -> Iterator[str]:
        found = needs.get(name, ())
        for at, edge in enumerate(found, 1):
            is_last = at == len(found) and not more
            target = edge["to"]
            yield line(f"{indent}{'└─' if is_last else '├─'} ", target, field=edge["field"])
            if target not in above:
                deeper = indent + ("   " if is_last else "│  ")
                yield from branches(target, deeper, above | {target}, more=False)

    using = users.get(root, ())
    yield line("", root, style="bold")
    yield from branches(root, "", frozenset([root]), more=bool(using))
    if using:
        yield screen.plain("└─ used by")
        for at, edge in enumerate(using, 1):
            does = edge["field"] if edge["field"] in SENT else ""
            lead = f"   {'└─' if at == len(using) else '├─'} "
            yield line(lead, edge["from"], does=f"({does})" if does else "")


def _dot(nodes: Iterable[Found], edges: Edges) -> Iterator[str]:
    yield from ("digraph moonq {", "  rankdir=LR", "  node [shape=box]")
    yield from (f'  "{node["id"]}" [label="{node["id"]}\\n{node["kind"]}"]' for node in nodes)
    yield from (f'  "{one["from"]}" -> "{one["to"]}" [label="{one["field"]}"]' for one in edges)
    yield "}"


def _mermaid(nodes: Iterable[Found], edges: Edges) -> Iterator[str]:
    numbers = {node["id"]: f"n{at}" for at, node in enumerate(nodes)}
    yield "flowchart LR"
    yield from (f'  {numbers[node["id"]]}["{node["id"]}<br>{node["kind"]}"]' for node in nodes)
    yield from (
        f"  {numbers[one['from']]} -->|{one['field']}| {numbers[one['to']]}" for one in edges
    )
