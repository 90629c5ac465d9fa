"""`moonq publish`: put messages on a queue."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moonq.cli import arguments
from moonq.cli.attached import attached
from moonq.cli.completing import complete_queue
from moonq.cli.options import Options, common, pass_options
from moonq.cli.progress import Progress
from moonq.cli.publishing import BATCH, Template, batches, body_text, lines_of
from moonq.control.client import Client
from moonq.errors import NoHost

if TYPE_CHECKING:
    from moonq.control.reaching import Direct

#: Ids and errors that one answer names.
NAMED = 1000


@click.command()
@click.argument("queue", shell_complete=complete_queue)
@click.argument("body", required=False)
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
@click.option("--file", type=click.Path(exists=True, dir_okay=False), help="Read the body there.")
@click.option(
    "--ndjson", metavar="FILE|-", help="Publish each line: a body, or a line of a backup."
)
@click.option("--count", type=click.IntRange(1), default=1, help="Publish it so often.")
@click.option("--rate", type=arguments.rate, metavar="N/s", help="No more than so many a second.")
@click.option("--id", "message_id", envvar="MOONQ_PUBLISH_ID", help="The message's id.")
@click.option("--delay", type=arguments.duration, metavar="DURATION", help="Not before that.")
@click.option("--ttl", type=arguments.duration, metavar="DURATION", help="Expires unstarted then.")
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
@common
@pass_options
def publish(options: Options, /, queue: str, **given: Any) -> int:
    """Publish BODY into QUEUE.

    BODY is JSON or, where it begins with a brace, a Lua literal; `-` reads it from stdin. Arguments
    end up in the shell's history: give secrets by --file or stdin. Ends with 1 when a message was
    refused or, with --wait, died; with 8 when the wait was over first.

    \b
    Examples:
      moonq publish app:orders '{"id":42}' -H source=shop --wait
      moonq publish app:orders '{ id = 42, tags = { "new" } }' --delay 5m
      jq -c .[] orders.json | moonq publish app:orders --ndjson - --rate 200/s
    """
    order = Order(**given)
    messages = order.messages()
    with attached(options, changes=f"publish into {queue}", yes=order.yes) as host:
        job = Job(host, queue, order.rate, order.dry_run)
        if order.wait is None:
            job.run(messages, Progress(options))
        else:
            job.run_and_wait(list(messages), order.wait)
    show(options, job)
    return job.exit_code()


@dataclass(frozen=True)
class Order:
    """What was asked for on the command line."""

    body: str | None
    headers: tuple[tuple[str, str], ...]
    file: str | None
    ndjson: str | None
    count: int
    rate: float | None
    message_id: str | None
    delay: float | None
    ttl: float | None
    priority: str | None
    group: str | None
    dedup_key: str | None
    wait: float | None
    dry_run: bool
    yes: bool

    def messages(self) -> Iterator[dict[str, Any]]:
        """Return what is to be published.

        Raises:
            UsageError: The options do not go together.
        """
        self._check()
        template = Template(dict(self.headers), self._options())
        if self.ndjson is not None:
            return lines_of(self.ndjson, template)
        if self.file is not None:
            text = Path(self.file).read_text(encoding="utf-8")
        else:
            text = sys.stdin.read() if self.body == "-" else str(self.body)
        return itertools.repeat(template.message(body_text(text)), self.count)

    def _check(self) -> None:
        if sum(one is not None for one in (self.body, self.file, self.ndjson)) != 1:
            raise click.UsageError("give one of BODY, --file and --ndjson")
        if self.wait is not None and self.ndjson is not None:
            raise click.UsageError("--wait is for one BODY, not for --ndjson")
        if self.wait is not None and self.count > NAMED:
            raise click.UsageError(f"--wait follows {NAMED} messages at most")
        if self.count > 1 and self.message_id is not None:
            raise click.UsageError("--count with --id: two messages cannot have the same id")

    def _options(self) -> dict[str, Any]:
        named = {
            "id": self.message_id,
            "delay": self.delay,
            "ttl": self.ttl,
            "priority": self.priority,
            "group": self.group,
            "dedup_key": self.dedup_key,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass
class Job:
    """One publish of however many messages."""

    host: Client | Direct
    queue: str
    rate: float | None = None
    dry_run: bool = False
    ids: list[str] = field(default_factory=list)
    published: int = 0
    refused: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    timed_out: bool = False
    took: float = 0.0

    def run(self, messages: Iterator[dict[str, Any]], progress: Progress) -> None:
        """Publish them, no faster than the rate."""
        began = time.monotonic()
        largest = BATCH if self.rate is None else max(1, min(BATCH, int(self.rate / 10)))
        with progress:
            for batch in batches(messages, largest):
                self._send(batch)
                progress.show(f"published {self.published}")
                if self.rate is not None:
                    due = began + (self.published + self.refused) / self.rate
                    time.sleep(max(0.0, due - time.monotonic()))
        self.took = time.monotonic() - began

    def run_and_wait(self, messages: list[dict[str, Any]], limit: float) -> None:
        """Publish them and wait until each is done or dead."""
        from moonq.cli.waiting import Outcomes
        from moonq.run.ids import new_id

        if not isinstance(self.host, Client):
            raise NoHost(
                "no moonq host is running, so nobody would handle it; it was not published",
                hint="start one with `moonq run`, or leave out --wait",
            )
        for number, message in enumerate(messages):
            options = {"id": new_id(time.time()), **message["options"]}
            messages[number] = {**message, "options": options}
        began = time.monotonic()
        with Outcomes(self.host, [one["options"]["id"] for one in messages]) as outcomes:
            for batch in batches(messages):
                self._send(batch)
            outcomes.follow(self.ids, began + limit)
        self.outcomes, self.timed_out = outcomes.found, bool(outcomes.missing)
        self.took = time.monotonic() - began

    def _send(self, batch: list[dict[str, Any]]) -> None:
        answer = self.host.request(
            "publish", queue=self.queue, messages=batch, dry_run=self.dry_run
        )
        self.queue = answer["queue"]
        first = self.published + self.refused
        for number, one in enumerate(answer["answers"], first + 1):
            if "id" in one:
                self.published += 1
                if len(self.ids) < NAMED:
                    self.ids.append(one["id"])
            else:
                self.refused += 1
                if len(self.errors) < NAMED:
                    self.errors.append({"number": number, **one["error"]})

    def exit_code(self) -> int:
        """Return the exit code: what was refused or died outweighs what is not known."""
        if self.refused or any(one["event"] == "dead" for one in self.outcomes):
            return 1
        return 8 if self.timed_out else 0


def show(options: Options, job: Job) -> None:
    """Print what was done: data to stdout, talk to stderr."""
    if options.json:
        click.echo(json.dumps(document(job), ensure_ascii=False))
        return
    from moonq import views

    found = document(job)
    views.show(views.published(found, views.Screen.of(sys.stdout, options.color)))
    for note, important in views.notes(found):
        options.say(note, important=important)


def document(job: Job) -> dict[str, Any]:
    """Return what was done as plain data; keys are only ever added."""
    return {
        "schema": "moonq.publish/1",
        "queue": job.queue,
        "published": job.published,
        "refused": job.refused,
        "ids": job.ids,
        "errors": job.errors,
        "outcomes": job.outcomes,
        "timed_out": job.timed_out,
        "dry_run": job.dry_run,
        "took_ms": round(job.took * 1000, 3),
    }
