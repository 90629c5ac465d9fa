"""Turns nodes into plain values: numbers, text, lists and maps, with `${env:NAME}` filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moonq.registry.yaml.nodes import List, Map, Node, Scalar
from moonq.registry.yaml.scalars import MissingVariable, TooBig, formerly, meaning, substitute
from moonq.text.findings import Finding, Source


class Values:
    """Reads the values of one file and collects what is wrong with them."""

    def __init__(self, source: Source, env: Mapping[str, str]) -> None:
        self.source = source
        self.env = env
        self.findings: list[Finding] = []

    def of(self, node: Node) -> Any:
        """Return the plain value of *node*."""
        if isinstance(node, Map):
            return {key: self.of(value) for key, (_, value) in node.items.items()}
        if isinstance(node, List):
            return [self.of(item) for item in node.items]
        assert isinstance(node, Scalar)
        return self._scalar(node)

    def _scalar(self, node: Scalar) -> Any:
        try:
            if not node.plain or "${" in node.text:
                return substitute(node.text, self.env)
            if was := formerly(node.text):
                self._warn_about_yaml_1_1(node, was)
            return meaning(node.text)
        except MissingVariable as error:
            self._missing(node, str(error))
        except TooBig:
            self._add(
                node,
                "P107",
                "this number does not fit into 64 bits",
                help="put it in quotes if it is meant as text",
            )
        except ValueError as error:
            self._add(
                node,
                "R213",
                f"`{error}` is no name of an environment variable",
                help="write `${env:NAME}` or `${env:NAME:-default}`",
            )
        return node.text

    def _missing(self, node: Scalar, name: str) -> None:
        self._add(
            node,
            "R213",
            f"the environment variable `{name}` is not set",
            help=f"set {name}, or write a default: `${{env:{name}:-value}}`",
        )

    def _warn_about_yaml_1_1(self, node: Scalar, was: str) -> None:
        value = meaning(node.text)
        now = f"the text `{value}`" if isinstance(value, str) else f"the number {value}"
        span = self.source.span(node.line, node.column, node.length, now)
        self.findings.append(
            Finding(
                "warning",
                "P104",
                f"`{node.text}` is {now} here, though older YAML reads {was}",
                (span,),
                ("moonq reads YAML 1.2",),
                (f'put it in quotes if you mean text: "{node.text}"',),
            )
        )

    def _add(self, node: Scalar, code: str, message: str, *, help: str) -> None:  # noqa: A002
        span = self.source.span(node.line, node.column, node.length)
        self.findings.append(Finding("error", code, message, (span,), (), (help,)))
