"""What a command says instead of the files: settings by `--set`, fields of entries by `--override`.

    Said(settings=(Flag("--set", "log.level=debug"),))
    Said(fields=(Flag("--override", "app:orders:retry.max_attempts=3", is_field=True),))

It is laid over the files and the profile, by the same rules (`yaml.merging`): `null` takes a value
away. A value is YAML; where the field is known its type decides, so that a shell needs no quotes
around the quotes. What is wrong is shown in the option's own text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from moonq.registry.yaml import reading
from moonq.registry.yaml.nodes import List, Map, Node, Scalar
from moonq.text import secrets
from moonq.text.findings import Finding, Source, error


class Flag(NamedTuple):
    """One use of an option, as it was written."""

    option: str
    """`--set`, or the variable of the environment that stands for it."""
    text: str
    is_field: bool = False
    """Whether it is of an entry, whose id stands in front."""

    @property
    def source(self) -> Source:
        """Where frames are cut out of; what may be a password is covered."""
        written, equals, value = self.text.partition("=")
        is_secret = secrets.is_secret(written.rpartition(":")[2].rpartition(".")[2])
        shown = "*" * len(value) if is_secret else value
        return Source(self.option, f"{written}{equals}{shown}")

    @property
    def target(self) -> str:
        """What is in front of the path: the entry's id or bare name; empty for a setting."""
        return self.text.partition("=")[0].rpartition(":")[0] if self.is_field else ""

    def is_about(self, id_: str) -> bool:
        """Whether the entry *id_* is meant."""
        return self.target in (id_, id_.partition(":")[2])

    def target_node(self) -> Scalar:
        """Return the place of the target."""
        return _scalar(self.source, self.target, 1)

    def tree(self, model: type[BaseModel] | None, findings: list[Finding]) -> Map | None:
        """Return a map of *model* with nothing but the one value; None where that cannot be read.

        None for the model is one that is not known.
        """
        written = self.text.partition("=")[0]
        begin, source = len(self.target) + bool(self.target), self.source
        steps, wanted = _steps(written[begin:], model)
        padded = " " * (len(written) + 1) + self.text[len(written) + 1 :]
        data = padded.encode("utf-8", "surrogateescape")
        node, problems = reading.read(Source.of(self.option, data), data)
        findings += (_in(source, one) for one in problems)
        if node is None:
            if not problems:
                place = _scalar(source, written[begin:], begin + 1)
                help_ = "write one behind the `=`; `null` takes the value away"
                message = f"`{written[begin:]}` has no value"
                findings.append(error("R207", message, source.at(place), help=help_))
            return None
        return _nested(source, steps, begin, _known(node, source, by_field=wanted is not None))


class Said(NamedTuple):
    """All that a command says instead of the files."""

    settings: tuple[Flag, ...] = ()
    fields: tuple[Flag, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.settings or self.fields)

    def about(self, id_: str) -> Iterator[Flag]:
        """Yield what is said of the entry *id_*."""
        return (flag for flag in self.fields if flag.is_about(id_))


NOTHING = Said()


def paths(model: type[BaseModel], lead: str = "") -> Iterator[str]:
    """Yield the paths of all fields of *model* that hold values: `retry.max_attempts`."""
    for name, one in model.model_fields.items():
        below = _inner(one.annotation)
        if isinstance(below, type) and issubclass(below, BaseModel):
            yield from paths(below, f"{lead}{name}.")
        else:
            yield f"{lead}{name}"


def _steps(path: str, model: Any) -> tuple[list[str], Any]:
    """Return the keys that *path* is of, and what type is wanted there; None if that is not known.

    Behind a map with free keys all that is left is one of them: `log.levels.app.queue`.
    """
    steps: list[str] = []
    while path:
        if get_origin(model) is dict:
            return [*steps, path], _plain(get_args(model)[1])
        step, _, path = path.partition(".")
        steps.append(step)
        model = _below(model, step)
    return steps, _plain(model)


def _below(model: Any, step: str) -> Any:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    for name, field in model.model_fields.items():
        if step in (name, field.alias):
            return _inner(field.annotation)
    return None


def _inner(annotation: Any) -> Any:
    """What may have keys in `Model | None` and the like, or else all of it."""
    if get_origin(annotation) is Annotated:
        return _inner(get_args(annotation)[0])
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    parts = [_inner(one) for one in get_args(annotation)]
    return next((one for one in parts if _has_keys(one)), annotation)


def _has_keys(annotation: Any) -> bool:
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return is_model or get_origin(annotation) is dict


def _plain(annotation: Any) -> Any:
    return None if annotation in (Any, object) else annotation


def _known(node: Node, source: Source, *, by_field: bool) -> Node:
    """Return *node* with all below it as they know themselves in a tree of another file."""
    if isinstance(node, Map):
        items = {
            name: (replace(key, source=source), _known(one, source, by_field=by_field))
            for name, (key, one) in node.items.items()
        }
        return replace(node, items=items, source=source)
    if isinstance(node, List):
        inner = [_known(one, source, by_field=by_field) for one in node.items]
        return replace(node, items=inner, source=source)
    assert isinstance(node, Scalar)
    return replace(node, source=source, by_field=by_field)


def _in(source: Source, finding: Finding) -> Finding:
    """Return *finding*, which is about a text of the same length, as one in *source*."""
    spans = (source.span(one.line, one.column, one.length, one.label) for one in finding.spans)
    return replace(finding, spans=tuple(spans))


def _nested(source: Source, steps: list[str], begin: int, value: Node) -> Map:
    """Return the map of maps that leads to *value*."""
    places, at = [], begin + 1
    for step in steps:
        places.append(_scalar(source, step, at))
        at += len(step) + 1
    node = value
    for key in reversed(places):
        items: Mapping[str, tuple[Scalar, Node]] = {key.text: (key, node)}
        node = Map(1, key.column, key.length, source=source, items=dict(items))
    assert isinstance(node, Map)
    return node


def _scalar(source: Source, text: str, column: int) -> Scalar:
    return Scalar(1, column, max(1, len(text)), text, plain=True, content_line=1, source=source)
