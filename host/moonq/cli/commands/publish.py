"""`moonq publish`: put messages on a queue."""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from moonq.cli import arguments
from moonq.cli.attached import attached, host_option
from moonq.cli.awaiting import Ends
from moonq.cli.completing import completer
from moonq.cli.drawing import Progress
from moonq.cli.forwarding import tell
from moonq.cli.options import Options, command
from moonq.cli.publishing import Template, messages_of
from moonq.control.batching import BATCH, batches
from moonq.errors import Invalid, NoHost
from moonq.operations.verbs import VERBS
from moonq.text.reading import bytes_of, decoded
from moonq.text.wording import plural

if TYPE_CHECKING:
    from moonq.control.reaching import Reached

#: Ids and errors that one answer names.
NAMED = 1000
#: Options of the command that are options of the message.
MESSAGE_OPTIONS = ("id", "delay", "ttl", "priority", "group", "dedup_key")


@command()
@host_option
@click.argument("queue", shell_complete=completer("queue"))
@click.argument("body", required=False, type=arguments.body)
@click.option(
    "-H",
    "--header",
    "headers",
    type=arguments.header,
    multiple=True,
    metavar="NAME=VALUE",
    envvar="MOONQ_PUBLISH_HEADER",
    help="A header; repeatable.",
)
@click.option("--file", type=click.Path(), help="Read the body there.")
@click.option(
    "--ndjson", metavar="FILE|-", help="Publish each line: a body, or a line of a backup."
)
@click.option("--count", type=click.IntRange(1), default=1, help="Publish it so often.")
@click.option("--rate", type=arguments.rate, metavar="N/s", help="No more than so many a second.")
@click.option("--id", help="The message's id.")
@click.option("--delay", type=arguments.duration, help="Not before that.")
@click.option("--ttl", type=arguments.duration, help="Expires unstarted then.")
@click.option("--priority", type=click.Choice(["low", "normal", "high"]), help="How soon.")
@click.option("--group", help="Messages of a group run one by one.")
@click.option("--dedup-key", help="A second publish with it answers the first's id.")
@click.option(
    "--wait",
    is_flag=False,
    flag_value="10s",
    type=arguments.duration,
    metavar="[DURATION]",
    help="Wait until it is done or dead (10s when no time is named).",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be refused.")
@click.option("--yes", is_flag=True, help="Do it in production as well.")
def publish(options: Options, /, queue: str, **given: Any) -> int:
    """Publish BODY into QUEUE.

    BODY is JSON or, where it begins with a brace, a Lua literal; `-` reads it from stdin. Arguments
    end up in the shell's history: give secrets by --file or stdin. Ends with 1 when a message was
    refused or, with --wait, died; with 2 when BODY is neither; with 8 when the wait was over first.

    \b
    Examples:
      moonq publish app:orders '{"id":42}' -H source=shop --wait
      moonq publish app:orders '{ id = 42, tags = { "new" } }' --delay 5m
      jq -c .[] orders.json | moonq publish app:orders --ndjson - --rate 200/s
    """
    _check(given)
    changes = "" if given["dry_run"] else f"publish into {queue}"
    with attached(options, changes=changes, yes=given["yes"]) as host:
        job = Job(host, queue, given["dry_run"], source=_source(given) or "")
        if given["wait"] is None:
            # A dry run goes as fast as it can: nothing is there to be spared.
            rate = None if given["dry_run"] else given["rate"]
            job.run(messages(given), rate, Progress(options))
        else:
            job.run_and_wait(options, list(messages(given)), given["wait"])
    tell(options, VERBS["publish"], job.found)
    return job.exit_code()


def _check(given: Mapping[str, Any]) -> None:
    """Say which options do not go together."""
    if sum(given[name] is not None for name in ("body", "file", "ndjson")) != 1:
        raise click.UsageError("give one of BODY, --file and --ndjson")
    if given["wait"] is not None and given["ndjson"] is not None:
        raise click.UsageError("--wait is for one BODY, not for --ndjson")
    if given["wait"] is not None and given["count"] > NAMED:
        raise click.UsageError(f"--wait follows {NAMED} messages at most")
    if given["count"] > 1 and given["id"] is not None:
        raise click.UsageError("--count with --id: two messages cannot have the same id")


def messages(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return what is to be published."""
    options = {name: given[name] for name in MESSAGE_OPTIONS if given[name] is not None}
    template = Template(dict(given["headers"]), options)
    if given["ndjson"] is not None:
        return messages_of(given["ndjson"], template)
    if (source := _source(given)) is not None:
        message = template.of_bytes(bytes_of(source))
    else:
        message = template.message(given["body"])
    return itertools.repeat(message, given["count"])


def _source(given: Mapping[str, Any]) -> str | None:
    """Return the file that holds the one body, `-` for stdin; None where there is none."""
    if given["file"] is not None:
        return str(given["file"])
    return "-" if given["body"] == "-" else None


class Job:
    """One publish of however many messages; `found` is its document.

    *source* names the file that holds the one body, if it came from one.
    """

    def __init__(self, host: Reached, queue: str, dry_run: bool, source: str = "") -> None:
        self._host = host
        self._source = source
        self.found: dict[str, Any] = {
            "queue": queue,
            "published": 0,
            "refused": 0,
            "duplicates": 0,
            "ids": [],
            "errors": [],
            "outcomes": [],
            "timed_out": False,
            "dry_run": dry_run,
            "took_ms": 0.0,
        }
        self._known: set[str] = set()
        """Ids of messages that were there already, with the same `dedup_key`."""

    def run(self, every: Iterator[dict[str, Any]], rate: float | None, progress: Progress) -> None:
        """Publish them, no faster than *rate*."""
        began = time.monotonic()
        largest = BATCH if rate is None else max(1, min(BATCH, int(rate / 10)))
        with progress, self._telling_how_far():
            for batch in batches(every, largest):
                self._send(batch)
                progress.show(f"published {self.found['published']}")
                if rate is not None:
                    due = began + (self.found["published"] + self.found["refused"]) / rate
                    time.sleep(max(0.0, due - time.monotonic()))
        self._end(began)

    @contextmanager
    def _telling_how_far(self) -> Iterator[None]:
        """Let a line that cannot be read say what was published before it."""
        try:
            yield
        except Invalid as problem:
            if not self.found["published"]:
                raise
            done = plural(self.found["published"], "message")
            raise Invalid(f"{problem.message}; {done} before it were published") from None

    def run_and_wait(self, options: Options, every: list[dict[str, Any]], limit: float) -> None:
        """Publish them and wait until each is done or dead, whichever host handles it."""
        from moonq.control.together import together

        if self._host.is_private:
            raise NoHost(
                "no moonq host is running, so nobody would handle it; it was not published",
                hint="start one with `moonq run`, or leave out --wait",
            )
        every = [_named(message) for message in every]
        began = time.monotonic()
        ids = [one["options"]["id"] for one in every]
        hosts = together(options.project, options.host)
        with hosts, hosts.tail(targets=ids, events=["ack", "dead"]) as events:
            for batch in batches(every):
                self._send(batch)
            missing = set(self.found["ids"]) - self._known
            ends = Ends(self._host, self.found["queue"], events)
            self.found["outcomes"] = ends.follow(missing, limit - (time.monotonic() - began))
            self.found["timed_out"] = bool(missing)
        self._end(began)

    def _end(self, began: float) -> None:
        self.found["took_ms"] = round((time.monotonic() - began) * 1000, 3)

    def _send(self, batch: list[dict[str, Any]]) -> None:
        found = self.found
        # By another id in the answer a duplicate is recognised.
        batch = [_named(one) if _may_repeat(one) else one for one in batch]
        answer = self._host.request(
            "publish", queue=found["queue"], messages=batch, dry_run=found["dry_run"]
        )
        found["queue"] = answer["queue"]
        first = found["published"] + found["refused"]
        for number, (sent, one) in enumerate(zip(batch, answer["answers"], strict=True), first + 1):
            if "error" in one:
                found["refused"] += 1
                error = {"number": number, **one["error"]}
                self._name("errors", error | _place(sent, self._source))
                continue
            found["published"] += 1
            self._name("ids", one["id"])
            if not found["dry_run"] and one["id"] != sent["options"].get("id", one["id"]):
                found["duplicates"] += 1
                self._known.add(one["id"])

    def _name(self, what: str, one: Any) -> None:
        if len(self.found[what]) < NAMED:
            self.found[what].append(one)

    def exit_code(self) -> int:
        """Return the exit code: what was refused or died outweighs what is not known."""
        if self.found["refused"] or any(one["event"] == "dead" for one in self.found["outcomes"]):
            return 1
        return 8 if self.found["timed_out"] else 0


def _place(sent: dict[str, Any], source: str) -> dict[str, str]:
    """Return the better `message` for a body of *source* that was refused for not being UTF-8."""
    if source and "base64" in sent:
        try:
            decoded(base64.b64decode(sent["base64"]), source)
        except Invalid as problem:
            return {"message": f"the body is not JSON: {problem.message}"}
    return {}


def _may_repeat(message: dict[str, Any]) -> bool:
    return isinstance(message["options"], dict) and "dedup_key" in message["options"]


def _named(message: dict[str, Any]) -> dict[str, Any]:
    """Return *message* with an id."""
    from moonq.run.ids import new_id

    return {**message, "options": {"id": new_id(time.time()), **message["options"]}}
