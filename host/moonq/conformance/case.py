"""One case of the suite: a clause of the contract, a claim about it, and the proof."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from moonq.conformance.scene import Scene

Proof = Callable[..., None]
#: Marks the clause at the beginning of a proof's docstring: ``§6 group: one running per key``.
CLAUSE = "§"


@dataclass(frozen=True, slots=True)
class Case:
    """A claim about every driver, with the clause of the contract that makes it."""

    topic: str
    name: str
    clause: str
    claim: str
    prove: Callable[[Scene], None]

    def __str__(self) -> str:
        return f"{self.topic}.{self.name}"

    @property
    def sentence(self) -> str:
        """The claim as a person says it."""
        return self.name.replace("_", " ")


def each(names: str | tuple[str, ...], values: Sequence[Any]) -> Callable[[Proof], Proof]:
    """Prove the same for each of *values*, which are given as the arguments called *names*."""

    def mark(proof: Proof) -> Proof:
        marks = getattr(proof, "each", ())
        proof.each = (*marks, (names, values))  # type: ignore[attr-defined]
        return proof

    return mark


def needs(*abilities: str) -> Callable[[Proof], Proof]:
    """Prove it only of a driver that has *abilities*; one without must refuse what needs them."""

    def mark(proof: Proof) -> Proof:
        @functools.wraps(proof)
        def prove(scene: Scene, **values: Any) -> None:
            if all(map(scene.promises, abilities)):
                proof(scene, **values)

        return prove

    return mark


def exactly(*abilities: str) -> Callable[[Proof], Proof]:
    """Prove it only of a driver that has *abilities* without a limit; not at all: it refuses."""

    def mark(proof: Proof) -> Proof:
        @functools.wraps(proof)
        def prove(scene: Scene, **values: Any) -> None:
            if all(map(scene.keeps, abilities)):
                proof(scene, **values)

        return prove

    return mark


def cases_of(module: ModuleType) -> Iterator[Case]:
    """All cases of *module*, in the order in which they are written down."""
    topic = module.__name__.rpartition(".")[2]
    needed = needs(*getattr(module, "NEEDS", ()))
    exact = exactly(*getattr(module, "EXACT", ()))
    for name, proof in inspect.getmembers(module, inspect.isfunction):
        text = inspect.getdoc(proof) or ""
        if proof.__module__ != module.__name__ or not text.startswith(CLAUSE):
            continue
        clause, _, claim = text.splitlines()[0].partition(":")
        for label, ready in _variants(needed(exact(proof))):
            yield Case(topic, name + label, clause, claim.strip(), ready)


def _variants(proof: Proof) -> list[tuple[str, Callable[[Scene], None]]]:
    variants: list[tuple[str, Callable[[Scene], None]]] = [("", proof)]
    for names, values in getattr(proof, "each", ()):
        variants = [
            (f"{label}[{_label(value, index)}]", functools.partial(one, **_arguments(names, value)))
            for label, one in variants
            for index, value in enumerate(values)
        ]
    return variants


def _arguments(names: str | tuple[str, ...], value: Any) -> dict[str, Any]:
    return {names: value} if isinstance(names, str) else dict(zip(names, value, strict=True))


def _label(value: Any, index: int) -> str:
    return str(value) if isinstance(value, str | int | float) else str(index)
