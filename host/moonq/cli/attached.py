"""How commands find the host they are about, and ask before they change one.

with attached(options) as host:                   # reads: a running host, or a private one
    host.request("queues")
with attached(options, changes="pause orders") as host:
    ...                                           # in production, asked for first
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from moonq import log
from moonq.cli.completing import completer
from moonq.cli.options import KEPT, Options
from moonq.errors import ReadOnly
from moonq.text.wording import plural

if TYPE_CHECKING:
    from moonq.control.locating import Place
    from moonq.control.reaching import Reached
    from moonq.control.together import Together


#: For a command that asks a running host.
host_option = click.option(
    "--host",
    metavar="NAME",
    help="The host that is meant, by its name or pid, where several run.",
    shell_complete=completer("host"),
    **KEPT,
)


@contextmanager
def attached(
    options: Options,
    *,
    live: bool = False,
    changes: str = "",
    yes: bool = False,
    loud: bool = False,
    place: Place | None = None,
) -> Iterator[Reached]:
    """Give the running host of the project, or a private one unless it must be *live*.

    Where several run it is the one that was named, or any; or the one at *place*.

    *changes* says what is about to change; a host in production is then asked for the right to.
    *loud* lets a private host's scripts log to stderr.
    """
    from moonq.control.reaching import reach

    level = "warn" if not loud else "debug" if options.verbose else "info"
    log.configure("pretty", level, {"moonq": "warn"}, color=options.has_color(sys.stderr))
    with reach(
        options.project,
        profile=options.profile,
        said=options.said,
        to=place or "",
        host=options.host,
        live=live,
        lost=telling_of_loss(options),
        notice=options.warn,
    ) as host:
        if changes and host.client.read_only:
            _ask_for_write(options, host, changes, yes)
        yield host


def all_hosts(options: Options) -> Together:
    """Return the hosts of the project that run here, or the one that was named, as one.

    Raises:
        NoHost: None runs.
        HostSilent: None answers.
    """
    from moonq.control.reaching import other_profile, unheard
    from moonq.control.together import Together

    found = Together(options.project, options.host)
    for client in found.look():
        if difference := other_profile(client, options.profile):
            options.warn(difference)
        if options.said:
            options.warn(unheard(client, options.said))
    return found


def telling_of_loss(options: Options) -> Callable[[int], None]:
    """Return what says how many messages end with a private host."""

    def tell(count: int) -> None:
        end = "ends" if count == 1 else "end"
        options.say(
            f"{plural(count, 'message')} in memory {end} with this private host\n"
            "  hint: start one that stays with `moonq run`",
            important=True,
        )

    return tell


def _ask_for_write(options: Options, host: Reached, changes: str, yes: bool) -> None:
    if not yes and not options.confirms(f"{host.name} is in PRODUCTION. {changes}?"):
        raise ReadOnly(
            f"{host.name} is in production, where sessions are read-only: {changes} was not done",
            hint="add --yes if you mean it; the host logs it",
        )
    host.client.write()
