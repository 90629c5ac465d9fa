"""Turns nodes into plain values: numbers, text, lists and maps, with `${env:NAME}` filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moonq.registry.yaml.nodes import List, Map, Node, Scalar
from moonq.registry.yaml.scalars import (
    EnvText,
    MissingVariable,
    TooBig,
    formerly,
    meaning,
    substitute,
)
from moonq.text import secrets
from moonq.text.findings import Finding, Source, error


@dataclass
class Values:
    """Reads the values of one file and collects what is wrong with them."""

    source: Source
    env: Mapping[str, str]
    findings: list[Finding]
    fills: bool = True
    """Whether `${env:NAME}` stands for a variable, and not for itself."""

    def of(self, node: Node, name: str = "") -> Any:
        """Return the plain value of *node*, which stands in the field *name*."""
        if isinstance(node, Map):
            return {key: self.of(value, key) for key, (_, value) in node.items.items()}
        if isinstance(node, List):
            return [self.of(item, name) for item in node.items]
        assert isinstance(node, Scalar)
        value = self._scalar(node)
        if "${env:" in node.text and isinstance(value, str):
            secrets.remember(value, name)
        return value

    def _scalar(self, node: Scalar) -> Any:
        try:
            if not node.plain or "${" in node.text:
                return substitute(node.text, self.env) if self.fills else node.text
            if node.by_field:
                return EnvText(node.text)
            if was := formerly(node.text):
                self._warn_about_yaml_1_1(node, was)
            return meaning(node.text)
        except MissingVariable as name:
            self._add(
                "R213",
                f"the environment variable `{name}` is not set",
                node,
                help=f"set {name}, or write a default: `${{env:{name}:-value}}`",
            )
        except TooBig:
            hint = "put it in quotes if it is meant as text"
            self._add("P107", "this number does not fit into 64 bits", node, help=hint)
        except ValueError as name:
            message = f"`{name}` is no name of an environment variable"
            self._add("R213", message, node, help="write `${env:NAME}` or `${env:NAME:-default}`")
        return node.text

    def _warn_about_yaml_1_1(self, node: Scalar, was: str) -> None:
        value = meaning(node.text)
        now = f"the text `{value}`" if isinstance(value, str) else f"the number {value}"
        self._add(
            "P104",
            f"`{node.text}` is {now} here, though older YAML reads {was}",
            node,
            now,
            note="moonq reads YAML 1.2",
            help=f'put it in quotes if you mean text: "{node.text}"',
            severity="warning",
        )

    def _add(self, code: str, message: str, node: Scalar, label: str = "", **more: Any) -> None:
        self.findings.append(error(code, message, self.source.at(node, label), **more))
