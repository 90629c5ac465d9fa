"""What may be a password, hidden: in values by their names, in addresses and in lines of YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"
_NAMES = r"passw|secret|token|credential|bearer|authoriz|cookie|(^|[_-])(key|pass|pwd|auth)($|[_-])"
_SECRET = re.compile(_NAMES, re.IGNORECASE)
#: `scheme://user:password@host`. A password may hold anything but a space, written as it should
#: not be too: rather hide more than is secret.
_IN_ADDRESS = re.compile(r"(?<=://)([^/\s@:]*):(\S*)@")
#: `user:password@host` where a list or a field holds hosts alone.
_BEFORE_HOST = re.compile(r"""(?<=["'\[\s,])([\w.-]+):([^\s@:/"',]+)@(?=[\w\[])""")
_IN_QUERY = re.compile(r"([?&;](?:[^=&;\s]*_)?(?:passw\w*|secret|token|key|auth)=)([^&;\s]*)", re.I)
#: `password: text`; what `${env:NAME}` fills in is no secret yet.
_IN_MAP = re.compile(
    r"""(\b[\w-]*(?:passw|secret|token|bearer|authoriz|cookie)\w*["']?\s*:\s*)"""
    r"""(?!["']?\$\{env:)([^\s,}][^,}]*)""",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether what is called *name*, a field or a header, may prove who somebody is."""
    return _SECRET.search(name) is not None


#: Characters of a secret that is looked for in other texts: a shorter one is a word like others.
LONG = 6
#: What the environment has filled in for projects of this process, where it is a secret.
_known: set[str] = set()


def remember(value: str, name: str) -> None:
    """Keep *value*, of the field called *name*, out of logs from now on, as far as it is secret."""
    found = [value] if is_secret(name) else [hit[2] for hit in _IN_ADDRESS.finditer(value)]
    found += [hit[2] for hit in _IN_QUERY.finditer(value)]
    _known.update(one for one in found if len(one) >= LONG)


def without_secrets(text: str) -> str:
    """Return *text* without any secret that is remembered."""
    for one in sorted(_known, key=len, reverse=True) if _known else ():
        text = text.replace(one, MASK)
    return text


def masked(value: Any, name: str = "") -> Any:
    """Return *value*, plain data of the field called *name*, without secrets."""
    if isinstance(value, Mapping):
        return {str(key): masked(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [masked(one, name) for one in value]
    if isinstance(value, bool | None):
        return value
    if is_secret(name):
        return MASK
    if isinstance(value, int | float):
        return value
    return _IN_QUERY.sub(rf"\1{MASK}", _IN_ADDRESS.sub(rf"\1:{MASK}@", str(value)))


def masked_line(text: str) -> str:
    """Return a line of YAML without secrets, as long as before, so that places stay right."""
    found = text
    for pattern in (_IN_ADDRESS, _BEFORE_HOST):
        found = pattern.sub(lambda hit: f"{hit[1]}:{'*' * len(hit[2])}@", found)
    for pattern in (_IN_QUERY, _IN_MAP):
        found = pattern.sub(lambda hit: hit[1] + "*" * len(hit[2]), found)
    return found
