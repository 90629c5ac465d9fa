"""`moonq tail`: watch messages go by."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from moonq.cli import arguments
from moonq.cli.attached import all_hosts, host_option
from moonq.cli.completing import completer
from moonq.cli.options import Options, command
from moonq.cli.streams import echo
from moonq.control import EVENTS
from moonq.text.wording import counted

if TYPE_CHECKING:
    from moonq.control.together import Tails
    from moonq.views import Screen

Draw = Callable[[dict[str, Any]], str]
#: Lines a second that a terminal and its reader can follow.
READABLE = 200.0


def _events(value: str) -> list[str]:
    chosen = [name.strip() for name in value.split(",") if name.strip()]
    for name in chosen:
        if name not in EVENTS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(EVENTS)}")
    return chosen


def _pattern(value: str) -> re.Pattern[str]:
    try:
        return re.compile(value)
    except re.error as problem:
        raise click.BadParameter(f"not a regular expression: {problem}") from None


@command()
@host_option
@click.argument("targets", nargs=-1, metavar="[TARGET]...", shell_complete=completer("speaker"))
@click.option(
    "--event",
    "events",
    type=_events,
    metavar="LIST",
    envvar="MOONQ_TAIL_EVENT",
    help=f"Only these, with commas between: {', '.join(EVENTS)}.",
)
@click.option("--where", metavar="LUA", help="Only those for which this Lua expression is true.")
@click.option("--grep", type=_pattern, metavar="REGEX", help="Only lines that it matches.")
@click.option("--body", is_flag=True, help="Show the messages' bodies too.")
@click.option("--limit", type=click.IntRange(1), help="End after so many.")
@click.option(
    "--for",
    "period",
    type=arguments.duration,
    envvar="MOONQ_TAIL_FOR",
    help="End after that time.",
)
@click.option("--rate", type=arguments.rate, metavar="N/s", help="Show no more lines a second.")
def tail(options: Options, /, **given: Any) -> int:
    """Show what happens in the running host, as it happens; in all, where several run here.

    TARGET is a queue, a consumer, a function, a logger, or a message's id, whose life is then
    followed; without one, everything is shown. --where sees an event's fields (event, queue, id,
    attempt, function, error.kind, body ...) and is looked at in the host, before anything is left
    out for want of speed; --grep looks at the line that is printed. What was left out is counted.

    \b
    Examples:
      moonq tail app:orders --event nack,dead
      moonq tail --where 'attempt > 1 and body.total > 100' --limit 10
    """
    with all_hosts(options) as hosts:
        subscription = hosts.tail(
            targets=list(given["targets"]),
            events=given["events"] or list(EVENTS),
            where=given["where"] or "",
            body=given["body"],
            known=True,
        )
        shown = Showing(options, given["grep"], given["rate"])
        try:
            with subscription:
                shown.run(subscription, given["limit"], given["period"])
        except KeyboardInterrupt:
            pass  # the usual end
        if not options.json:
            shown.farewell(subscription.dropped)
    return 0


class Showing:
    """Prints events until it has seen enough."""

    def __init__(self, options: Options, grep: re.Pattern[str] | None, rate: float | None) -> None:
        from moonq import views

        def screen() -> Screen:
            return views.Screen.of(sys.stdout, options.color)

        self._options = options
        self._grep = grep
        self._draw: Draw = document if options.json else lambda event: views.event(event, screen())
        self._plain: Draw = (
            document if options.json else lambda event: views.plain_event(event, screen())
        )
        self._rate = rate or (READABLE if screen().width and not options.json else None)
        self._shown = 0
        self._second = 0
        self._in_second = 0
        self._left_out = 0
        self._all_left_out = 0

    def run(self, events: Tails, limit: int | None, period: float | None) -> None:
        """Show events until there are *limit*, *period* is over, or the host ends."""
        deadline = None if period is None else time.monotonic() + period
        while limit is None or self._shown < limit:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return
            event = events.next(left)
            if event is not None:
                self._show(event)
            elif events.ended:
                self._options.say("the host has gone away", important=True)
                return

    def _show(self, event: dict[str, Any]) -> None:
        if self._grep is not None and not self._grep.search(self._plain(event)):
            return
        if self._is_too_fast():
            self._left_out += 1
            return
        self._shown += 1
        echo(self._draw(event))

    def _is_too_fast(self) -> bool:
        if self._rate is None:
            return False
        second = int(time.monotonic())
        if second != self._second:
            if self._left_out:
                self._options.say(
                    f"… {counted(self._left_out)} more in 1 s (use --where or --json)"
                )
                self._all_left_out += self._left_out
            self._second, self._in_second, self._left_out = second, 0, 0
        self._in_second += 1
        return self._in_second > self._rate

    def farewell(self, dropped: int) -> None:
        """Say how much was shown, and how much was not."""
        left_out = self._all_left_out + self._left_out
        more = f" · {counted(left_out)} left out" if left_out else ""
        self._options.say(f"{counted(self._shown)} events shown{more} · {counted(dropped)} dropped")


def document(event: dict[str, Any]) -> str:
    """Return *event* as one line of JSON; keys are only ever added."""
    return json.dumps({"schema": "moonq.event/1", **event}, ensure_ascii=False)
