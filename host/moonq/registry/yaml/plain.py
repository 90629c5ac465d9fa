"""Reads YAML that is no part of the registry, by the registry's rules and bounds.

plain("order.yaml", b"on: yes")   # {"on": "yes"}
plain("order.yaml", b"a: ${env:HOME}")   # {"a": "${env:HOME}"}: nothing is filled in
"""

from __future__ import annotations

from typing import Any

from moonq.registry.yaml.reading import read
from moonq.registry.yaml.values import Values
from moonq.text.findings import Finding, Source


class Wrong(Exception):
    """The text is not what moonq reads; carries the first finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def plain(file: str, data: bytes) -> Any:
    """Return the value of a document; None of an empty one.

    Raises:
        Wrong: It is none, or reaches beyond the bounds.
    """
    source = Source.of(file, data)
    node, findings = read(source, data)
    value = None if node is None else Values(source, {}, findings, fills=False).of(node)
    for one in findings:
        if one.severity == "error":
            raise Wrong(one)
    return value
