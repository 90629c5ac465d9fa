"""Reads one YAML file into nodes, and refuses what would surprise.

Duplicate keys, recursive and exploding aliases, tags, several documents and absurd depth are
findings here, so that the rest of the registry sees a plain tree of text.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from yaml import events

from moonq.registry import complaints
from moonq.registry.yaml.nodes import List, Map, Node, Scalar
from moonq.text.findings import Finding, Source, error

#: Far above any registry a person writes, far below what hurts.
MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_NODES = 50_000
#: Characters before a mistake that the parser in Python reads again: it does 100 KB in a second.
MAX_REREAD = 1 << 16
_STRING_TAGS = {"tag:yaml.org,2002:str", "!"}


class Refused(Exception):
    """The file cannot be read any further; carries the finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def read(source: Source, data: bytes) -> tuple[Node | None, list[Finding]]:
    """Return the tree of *data* (None when empty or unreadable) and what is wrong with it."""
    unreadable = complaints.unreadable(source, data, MAX_BYTES)
    if unreadable:
        return None, [unreadable]
    try:
        return _Reader(source).tree()
    except Refused as refused:
        return None, [refused.finding]


def _events(text: str) -> Iterator[events.Event]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yield from yaml.parse(text, Loader=loader)


def _place(event: events.Event, *, end: bool = False) -> tuple[int, int]:
    mark = event.end_mark if end else event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class _Reader:
    """Turns the events of one file into nodes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.anchors: dict[str, Node | None] = {}
        self.weights: dict[int, int] = {}
        self.nodes = 0
        self.events = _events(source.text)

    def tree(self) -> tuple[Node | None, list[Finding]]:
        try:
            root = self._document()
        except yaml.YAMLError as raised:
            raise Refused(self._explained(raised)) from None
        return root, self.findings

    def _explained(self, raised: yaml.YAMLError) -> Finding:
        mark = getattr(raised, "problem_mark", None)
        if mark is not None and "nesting depth" in str(getattr(raised, "problem", "")):
            return self._too_deep(mark.line + 1, mark.column + 1)
        is_near = mark is None or mark.index <= MAX_REREAD
        return complaints.syntax(self.source, self._plainer(raised) if is_near else raised)

    def _plainer(self, raised: yaml.YAMLError) -> yaml.YAMLError:
        """The error of the parser written in Python: libyaml's texts say less.

        It may take a time that grows with the square of a text's depth, and libyaml looks no
        further ahead of a node that is too deep than its longest key, about a thousand characters.
        """
        try:
            for _ in yaml.parse(self.source.text, Loader=yaml.SafeLoader):
                pass
        except yaml.YAMLError as plainer:
            return plainer
        return raised

    def _document(self) -> Node | None:
        root: Node | None = None
        seen = False
        for event in self.events:
            if isinstance(event, events.DocumentStartEvent):
                if seen:
                    message = "one file holds one document, and here a second one begins"
                    help_ = "move what follows into a file of its own"
                    raise self._refused(message, Node(_place(event)[0], 1, 3), help=help_)
                seen = True
            elif isinstance(event, events.NodeEvent):
                root = self._node(event, 0)
        return root

    def _node(self, event: events.Event, depth: int) -> Node:
        line, column = _place(event)
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise Refused(self._too_deep(line, column))
        if isinstance(event, events.AliasEvent):
            return self._alias(event, line, column)
        anchor: str | None = getattr(event, "anchor", None)
        if anchor:
            # Known but unfinished until its node is complete: an alias to it meets itself.
            self.anchors[anchor] = None
        before = self.nodes
        node = self._fresh(event, line, column, depth)
        if anchor:
            self.anchors[anchor] = node
            self.weights[id(node)] = self.nodes - before + 1
        return node

    def _too_deep(self, line: int, column: int) -> Finding:
        message = "this file is nested too deep, or its aliases expand to too many values"
        span = self.source.span(line, column, 1, "given up here")
        return error("P106", message, span, help="write a plain list of entries")

    def _alias(self, event: events.AliasEvent, line: int, column: int) -> Node:
        name = str(event.anchor)
        node = self.anchors.get(name)
        if node is None:
            if name in self.anchors:
                message, help_ = f"`*{name}` contains itself", "write the inner value out"
            else:
                message = f"`*{name}` refers to an anchor that does not exist"
                help_ = (
                    f'write `&{name}` before the value it stands for, or quote the text: "*{name}"'
                )
            raise self._refused(message, Node(line, column, len(name) + 1), help=help_)
        # Every use counts with its full weight, so a file cannot explode into millions of values.
        self.nodes += self.weights[id(node)]
        return node

    def _fresh(self, event: events.Event, line: int, column: int, depth: int) -> Node:
        if isinstance(event, events.ScalarEvent):
            return self._scalar(event, line, column)
        self._check_tag(event, line, column)
        if isinstance(event, events.SequenceStartEvent):
            items = List(line, column, 1)
            while not isinstance(inner := next(self.events), events.SequenceEndEvent):
                items.items.append(self._node(inner, depth + 1))
            return items
        return self._map(line, column, depth)

    def _scalar(self, event: events.ScalarEvent, line: int, column: int) -> Scalar:
        if event.style in ("|", ">"):
            return Scalar(line, column, 1, event.value, False, line + 1)
        end_line, end_column = _place(event, end=True)
        if end_line != line:
            end_column = len(self.source.line(line)) + 1
        self._check_tag(event, line, column)
        plain = not event.style and event.tag not in _STRING_TAGS
        return Scalar(line, column, max(1, end_column - column), event.value, plain, line)

    def _map(self, line: int, column: int, depth: int) -> Map:
        found = Map(line, column, 1)
        while not isinstance(inner := next(self.events), events.MappingEndEvent):
            key = self._node(inner, depth + 1)
            value = self._node(next(self.events), depth + 1)
            if not isinstance(key, Scalar):
                label, help_ = "this is a list or a map", 'put it in quotes, as in "{{ text }}"'
                self._complain("a key must be plain text", key, label, help=help_)
            elif key.text == "<<" and key.plain:
                message = "`<<` does not merge maps: YAML 1.2 has no merge keys"
                help_ = "write the fields out, or share a whole map: `retry: *slow`"
                self._complain(message, key, help=help_)
            elif key.text in found.items:
                self._twice(found.items[key.text][0], key)
            else:
                found.items[key.text] = (key, value)
        return found

    def _check_tag(self, event: events.Event, line: int, column: int) -> None:
        tag = getattr(event, "tag", None)
        if tag and tag not in _STRING_TAGS:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            message = f"moonq knows no YAML tags, and `{shown}` is one"
            help_ = "remove it; to keep the `!` as text, put the value in quotes"
            self._complain(message, Node(line, column, len(shown)), help=help_)

    def _twice(self, first: Scalar, second: Scalar) -> None:
        spans = (
            self.source.at(second, "the second one"),
            self.source.at(first, "the first one", primary=False),
        )
        message = f"`{first.text}` is written twice"
        self.findings.append(error("P102", message, *spans, help="remove one of them"))

    def _complain(self, message: str, node: Node, label: str = "", *, help: str) -> None:  # noqa: A002
        self.findings.append(error("P101", message, self.source.at(node, label), help=help))

    def _refused(self, message: str, node: Node, *, help: str) -> Refused:  # noqa: A002
        return Refused(error("P101", message, self.source.at(node), help=help))
