"""What came from the environment, shown as it is written: `${env:REDIS_URL}`, never its value.

    written(node, {"url": "redis://:pw@host"})    # {"url": "${env:REDIS_URL}"}
    hide(finding, [("redis://:pw@host", "${env:REDIS_URL}")])

Whoever uses a field gets its value; whoever only shows it asks here first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from moonq.registry.yaml.nodes import List, Map, Node, Scalar
from moonq.registry.yaml.scalars import ENV
from moonq.text.findings import Finding
from moonq.text.secrets import MASK, masked

#: A value, and the text that stands for it in the file.
Pair = tuple[str, str]
#: Characters of a value that is looked for in every finding: a shorter one is a word like others.
LONG = 6
#: Characters in a row that give a part of a value away.
PART = 4
_QUOTED = re.compile(r"""(?<=')[^']{3,}(?=')|(?<=")[^"]{3,}(?=")|(?<=`)[^`]{3,}(?=`)""")


def is_filled(node: Node | None) -> bool:
    """Whether a variable of the environment has a part in what is written at *node*."""
    if isinstance(node, Scalar):
        return "${env:" in node.text
    if isinstance(node, List):
        return any(map(is_filled, node.items))
    return isinstance(node, Map) and any(is_filled(value) for _, value in node.items.values())


def written(node: Node | None, value: Any) -> Any:
    """Return *value*, plain data that was made of *node*, as far as it is written in the file."""
    if not is_filled(node):
        return value
    if isinstance(node, Scalar):
        # A number is no secret, and a default stands in the file.
        is_told = isinstance(value, bool | int | float | None) or _is_default(node, value)
        return value if is_told else masked(node.text)
    if isinstance(node, Map) and isinstance(value, Mapping):
        return {key: written(node.get(str(key)), one) for key, one in value.items()}
    if isinstance(node, List) and isinstance(value, list | tuple) and len(value) == len(node.items):
        return [written(item, one) for item, one in zip(node.items, value, strict=True)]
    return MASK  # it has another form by now, and what came from where cannot be told


def pairs(node: Node | None, value: Any) -> Iterator[Pair]:
    """Yield every text in *value* that a variable had a part in."""
    if isinstance(node, Scalar):
        if is_filled(node) and isinstance(value, str):
            yield from _variables(node, value)
    elif isinstance(node, Map) and isinstance(value, Mapping):
        for key, one in value.items():
            yield from pairs(node.get(str(key)), one)
    elif isinstance(node, List) and isinstance(value, list | tuple):
        for item, one in zip(node.items, value, strict=False):
            yield from pairs(item, one)


def _variables(node: Scalar, value: str) -> Iterator[Pair]:
    """Yield what each variable in *node* holds, and how it is written; defaults are no secret."""
    literals, inner = ENV.split(node.text)[::2], ENV.findall(node.text)
    found = re.fullmatch("(.*?)".join(map(re.escape, literals)), value, re.DOTALL)
    for held, name in zip(found.groups() if found else (), inner, strict=False):
        if held and held not in (name.partition(":-")[2], f"${{env:{name}}}"):
            yield held, masked(f"${{env:{name}}}")


def _is_default(node: Scalar, value: Any) -> bool:
    """Whether *value* is what the file says itself, without any variable."""
    text = ENV.sub(lambda match: match[1].partition(":-")[2] or "\0", node.text)
    return bool(value == text)


def hide(finding: Finding, found: Iterable[Pair], *, is_about: bool = False) -> Finding:
    """Return *finding* without the values of *found*, and without what it quotes of them.

    One that *is_about* their very field hides short ones, and short parts, as well.
    """
    known = sorted(set(found), key=lambda pair: -len(pair[0]))
    size = PART if is_about else 2 * PART

    def unquoted(match: re.Match[str]) -> str:
        return MASK if any(_shares(match[0], *pair, size) for pair in known) else match[0]

    def shown(text: str) -> str:
        for value, name in known:
            text = text.replace(value, name) if is_about or len(value) >= LONG else text
        return _QUOTED.sub(unquoted, text)

    if not known:
        return finding
    return replace(
        finding,
        message=shown(finding.message),
        spans=tuple(replace(span, label=shown(span.label)) for span in finding.spans),
        notes=tuple(map(shown, finding.notes)),
        helps=tuple(map(shown, finding.helps)),
    )


def _shares(text: str, value: str, name: str, size: int) -> bool:
    """Whether *text* has *size* characters in a row of *value*, or is all a shorter part of it."""
    if name in text or text in name:
        return False
    size = min(size, max(3, len(text)))
    return any(text[at : at + size] in value for at in range(len(text) - size + 1))
