"""Every action that policies can speak of: what it is done with, who asks for it, its spellings.

    find("store.get").name      # "store.read": two spellings of one check
    spellings("store.read")       # ("store.read", "store.get", "store.key.get")

What scripts are lent (see `lent`) asks by these names, so a further lent function with an action of
its own has a row here. From the table come the checks, the findings of `moonq check`, and the page
"Who may do what"; a test holds it against what is lent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

ENTRY = ""


class Action(NamedTuple):
    """One thing that can be allowed or denied."""

    name: str
    """What we call it, in errors and in the log."""
    does: str
    asked_by: tuple[str, ...]
    """The functions of scripts that ask for it."""
    kinds: tuple[str, ...] | None = (ENTRY,)
    """Of which kinds of entries (as `Project.of_kind` takes them) the id is the resource, the empty
    one standing for all; None: the resource is no entry."""
    resource: str = ""
    """What the resource is where it is not the id alone."""
    also: tuple[str, ...] = ()
    """Other spellings of the same check."""
    within: tuple[str, ...] = ()
    """Wider actions: whoever is denied one of them is denied this one, too."""
    meta: tuple[str, ...] = ()
    """What conditions find in `meta` when it is asked."""


_PUBLISH = ("queue.publish", "queue.publish_batch")
_REQUEST = tuple(
    f"http.{one}" for one in ("get", "head", "post", "put", "patch", "delete", "request")
)
_ROWS = (
    Action("queue.publish", "publish; `queue.publish.queue` is asked as well", _PUBLISH,
        ("queue.queue",)),
    Action("queue.publish.queue", "publish into this queue; `queue.publish` is asked as well",
        _PUBLISH, ("queue.queue",)),
    Action("queue.info", "count what is in a queue", ("queue.info",), ("queue.queue",)),
    Action("funcs.call", "call a function", ("funcs.call",), ("function.lua",)),
    Action("module.call", "call a function of a Python module", ("module.python",),
        ("module.python",), resource="id and function: `app:bank.charge`"),
    Action("store.read", "see the value of a key", ("store:get", "store:once"), ("store.",),
        also=("store.get", "store.key.get"), meta=("key",)),
    Action("store.has", "see whether a key is there", ("store:has",), ("store.",),
        also=("store.read", "store.key.has"), within=("store.get",), meta=("key",)),
    Action("store.keys", "see which keys there are", ("store:keys",), ("store.",),
        also=("store.read", "store.key.list"), within=("store.get",), meta=("prefix",)),
    Action("store.write", "set a key; counting tells its number, `cas` whether it was as expected",
        ("store:set", "store:incr", "store:cas", "store:once"), ("store.",),
        also=("store.key.set",), within=("store.get",), meta=("key",)),
    Action("store.delete", "remove a key", ("store:delete", "store:cas", "store:once"), ("store.",),
        also=("store.write", "store.key.delete"), within=("store.get",), meta=("key",)),
    Action("sql.query", "read from a database", ("sql.query", "tx:query"), ("sql.database",)),
    Action("sql.execute", "change a database; to begin a transaction that may is asked as well",
        ("sql.execute", "tx:execute", "sql.transaction"), ("sql.database",)),
    Action("env.read", "see a variable", ("env.get", "env.names"), ("env.variable",),
        also=("env.get",)),
    Action("http.request", "make a request over HTTP; each redirect asks, too", _REQUEST, None,
        resource="the URL without its query", also=("http_client.request",)),
    Action("registry.read", "see an entry", ("registry.get", "registry.find"),
        also=("registry.get", "registry.find")),
)  # fmt: skip

ACTIONS: Mapping[str, Action] = {row.name: row for row in _ROWS}
"""By name."""
_SPELT: Mapping[str, Action] = {
    **{other: row for row in reversed(_ROWS) for other in row.also},
    **ACTIONS,
}

#: What the policies of systems like this one speak of, and nothing here ever asks for.
FOREIGN = (
    "process.*", "network.select", "security.token*", "security.token_store.get",
    "registry.apply*", "registry.request", "events.*", "websocket.*", "db.*",
    "http_client.unix_socket", "http_client.private_ip",
    "fs.*", "exec.*", "cloudstorage.*", "template.*", "contract.*", "system.*", "eval.*",
    "env.set", "env.get_all", "store.info", "funcs.context",
)  # fmt: skip


def find(name: str) -> Action | None:
    """Return the row of an action, by any of its spellings."""
    return _SPELT.get(name)


def spellings(name: str) -> tuple[str, ...]:
    """Return every spelling of an action, ours first; what is not known has only its own."""
    row = _SPELT.get(name)
    return (row.name, *row.also) if row else (name,)


def above(name: str) -> tuple[str, ...]:
    """Return the actions that whoever is denied is denied this one with."""
    row = _SPELT.get(name)
    return row.within if row else ()


def known() -> tuple[str, ...]:
    """Return every action by every spelling."""
    return tuple(sorted(_SPELT))


def table() -> str:
    """Return every action as the page "Who may do what" has it."""
    head = "| action | resource | asked by | other spellings | `meta` |\n|---|---|---|---|---|"
    return "\n".join([head, *(_line(row) for row in _ROWS)])


def _line(row: Action) -> str:
    cells = (
        f"`{row.name}`: {row.does}",
        _resource(row),
        _quoted(row.asked_by),
        _quoted(row.also) + (f"; denied with {_quoted(row.within)}" if row.within else ""),
        _quoted(row.meta),
    )
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _resource(row: Action) -> str:
    if row.resource:
        return row.resource
    named = row.kinds or ()
    kinds = " or ".join(f"`{kind}*`" if kind.endswith(".") else f"`{kind}`" for kind in named)
    return f"id, of kind {kinds}" if row.kinds != (ENTRY,) else "id of any entry"


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    print(table())
