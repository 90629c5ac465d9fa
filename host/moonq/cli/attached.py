"""How commands find the host they are about, and ask before they change one.

with attached(options) as host:                   # reads: a running host, or a private one
    host.request("queues")
with attached(options, changes="pause orders") as host:
    ...                                           # in production, asked for first
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from moonq import log
from moonq.cli.options import Options
from moonq.control.client import Client
from moonq.errors import ConfirmationNeeded, ReadOnly

if TYPE_CHECKING:
    from moonq.control.reaching import Direct


@contextmanager
def attached(
    options: Options, *, needs_live: bool = False, changes: str = "", yes: bool = False
) -> Iterator[Client | Direct]:
    """Give the running host of the project, or a private one unless *needs_live*.

    *changes* says what is about to change; a host in production is then asked for the right to.
    """
    from moonq.control.reaching import reach

    log.configure("pretty", "warn", color=options.has_color(sys.stderr))
    host = reach(options.project, needs_live=needs_live)
    try:
        if changes and isinstance(host, Client) and host.read_only:
            _ask_for_write(options, host, changes, yes)
        yield host
    finally:
        host.close()


@contextmanager
def live(options: Options, *, changes: str = "", yes: bool = False) -> Iterator[Client]:
    """Give the running host of the project.

    Raises:
        NoHost: None is running.
    """
    with attached(options, needs_live=True, changes=changes, yes=yes) as host:
        assert isinstance(host, Client)
        yield host


def _ask_for_write(options: Options, host: Client, changes: str, yes: bool) -> None:
    name = host.hello["project"]
    if not yes and not options.confirms(f"{name} is in PRODUCTION. {changes}?"):
        raise ReadOnly(
            f"{name} is in production, where sessions are read-only: {changes} was not done",
            hint="add --yes if you mean it; the host logs it",
        )
    host.write()


def confirmed(options: Options, question: str, *, yes: bool) -> None:
    """Go on if *yes* was said on the command line or is said now.

    Raises:
        ConfirmationNeeded: It was not, or nobody could be asked.
    """
    if not yes and not options.confirms(question):
        raise ConfirmationNeeded("nothing was done", hint="add --yes if you mean it")


def confirmed_by_name(options: Options, name: str, *, yes: bool) -> None:
    """Go on if *name* is typed now, or *yes* was said.

    Raises:
        ConfirmationNeeded: It was not, or nobody could be asked.
    """
    import click

    if yes:
        return
    if options.can_ask():
        typed = click.prompt(
            "type the queue name to confirm", default="", show_default=False, err=True
        )
        if typed in (name, name.rpartition(":")[2]):
            return
        raise ConfirmationNeeded(f"{typed!r} is not {name}; nothing was done")
    raise ConfirmationNeeded("nothing was done", hint="add --yes if you mean it")
