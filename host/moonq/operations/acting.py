"""Publishing, calling, replaying, and running the services of a host."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from moonq.errors import Invalid, MoonqError, NotFound, QueueError
from moonq.host import CallResult
from moonq.kinds.consumer import MOST_WORKERS
from moonq.model import Receipt, Stored
from moonq.operations import choosing
from moonq.operations.documents import error_object
from moonq.operations.requests import Requests, checked
from moonq.registry.project import Entry, Project
from moonq.run.calling.calls import consumer_at, consumer_of
from moonq.run.calling.sinks import Publication, level_name
from moonq.run.calling.trying import DryRun
from moonq.run.publishing import Wanted, check_body
from moonq.run.security import Rights

#: How many workers a consumer can have.
Workers = Annotated[int, Field(ge=1, le=MOST_WORKERS)]
#: Messages in one request to publish.
LARGEST_BATCH = 1000


class Acting(Requests):
    """Kinds of request that set something going, or hold it."""

    @checked
    def publish(
        self, queue: str, messages: list[dict[str, Any]], dry_run: bool = False
    ) -> dict[str, Any]:
        """Publish `{json | base64, headers?, options?}` and return `answers`: an id or an error."""
        route = self._route(queue)
        if len(messages) > LARGEST_BATCH:
            raise Invalid(f"{len(messages)} messages at once; at most {LARGEST_BATCH} are taken")
        items = [_wanted(number, one) for number, one in enumerate(messages, 1)]
        if dry_run:
            trial = DryRun(self._host.queues, self._host.clock)
            answers = trial.publish_many(route.id, items, may_wait=True)
            return {"queue": route.id, "answers": [_answer(answer) for answer in answers]}
        answers = self._host.queues.publish_batch(route.id, items)
        refused = sum(1 for answer in answers if isinstance(answer, QueueError))
        self.record("publish", f"{route.id} {len(answers) - refused}")
        return {"queue": route.id, "answers": [_answer(answer) for answer in answers]}

    @checked
    def call(  # noqa: PLR0913, PLR0917 - the ways in which a call can be asked for
        self,
        function: str,
        argument: str = "",
        as_message: bool = False,
        headers: dict[str, str | int | float | bool] | None = None,
        send: bool = False,
        stub: str = "",
        stub_file: str = "",
        real: bool = False,
        consumer: str = "",
        actor: str = "",
        groups: list[str] | None = None,
        trace: bool = False,
    ) -> dict[str, Any]:
        """Call a function once, outside of any queue; without *send* it changes nothing here.

        A call that is not *real* ends where the answer of something outside is needed, unless the
        Lua text *stub*, of *stub_file*, answers in its place.

        It may do what its consumer may; where it has several, *consumer* says which is meant. Or it
        may do what *actor* may, as `Policies.named` finds it with *groups*.

        With *trace* the answer has `lines`, those that ran, in order: `chunk`, `line`, `text`,
        `took_ms`, and the `values` of variables that it has set; `lines_left_out` counts what ran
        behind the last of them.
        """
        project = self._host.project
        function = project.id_of(function, "function.lua")
        by = consumer_of(project, function, consumer)
        rights = self._rights(by, actor, groups or [])
        does = " (sends)" if send else " (real)" if real else ""
        does += f" as {actor}" if actor else ""
        self.record("call", f"{function}{does}", tries=not (send or real or actor))
        result = self._call(
            function,
            argument,
            as_message=as_message,
            headers=headers or {},
            send=send,
            record=send,
            real=real,
            stubs=(stub_file or "stubs.lua", stub) if stub else None,
            consumer=by.id if by else "",
            rights=rights,
            trace=trace,
        )
        found = _lines(result, project) if trace else {}
        found |= {"consumer": by and by.id, "actor": rights.actor and rights.actor.id}
        return {**call_object(result), **found}

    @checked
    def replay(self, message: str, queue: str | None = None, consumer: str = "") -> dict[str, Any]:
        """Run the dead letter *message* (its id, or the ends of it) with the present handler.

        Nothing is settled, published or taken away. The answer is that of `call`, with the
        letter's `id`, its `queue` and the `function`. Where the queue has several consumers,
        *consumer* says which is meant.
        """
        source, stored = self._letter(message, queue)
        by = consumer_at(self._host.project, source, consumer)
        if by is None:
            hint = "name one in a `queue.consumer` entry"
            raise MoonqError(f"no consumer serves {source}", hint=hint)
        function = by.target("func") or ""
        self.record("replay", f"{source} {stored.message.id} with {function}", tries=True)
        own = {name: v for name, v in stored.message.headers.items() if name[:2] != "x_"}
        result = self._call(
            function,
            _text(stored),
            as_message=True,
            headers=own,
            send=False,
            consumer=by.id,
            message_id=stored.message.id,
        )
        found = {"id": stored.message.id, "queue": source, "function": function}
        return {**found, **call_object(result), "consumer": by.id}

    @checked
    def pause(self, target: str) -> dict[str, Any]:
        """Let a queue deliver nothing, or a consumer take nothing."""
        return self._toggle("pause", target, "paused")

    @checked
    def resume(self, target: str) -> dict[str, Any]:
        """Undo `pause`."""
        return self._toggle("resume", target, "resumed")

    def _toggle(self, action: str, target: str, done: str) -> dict[str, Any]:
        name = self._host.project.id_of(target, "queue.queue", "queue.consumer")
        if name in self._host.consumers:
            getattr(self._host.consumers[name], action)()
        elif route := self._host.queues.get(name):
            getattr(route.driver, action)(route.spec.name)
        else:
            raise NotFound(f"{name} was not started", hint="`moonq queues` names what was")
        self.record(action, name)
        return {done: name}

    @checked
    def scale(self, consumer: str, workers: Workers) -> dict[str, Any]:
        """Let a consumer handle so many messages at once until the next reload.

        Returns how many those were and are (`from`, `to`), its `prefetch`, and how many messages
        are `finishing` with a worker of before.
        """
        name = self._host.project.id_of(consumer, "queue.consumer")
        if name not in self._host.consumers:
            raise NotFound(f"{name} was not started", hint="`moonq queues` names what was")
        before = self._host.consumers[name].settings.concurrency
        self.record("scale", f"{name} {before} to {workers}")
        report = self._host.scale(name, workers)
        now = self._host.consumers[name].settings
        return {
            "consumer": name,
            "from": before,
            "to": now.concurrency,
            "prefetch": now.prefetch,
            "finishing": report.finishing,
            "problems": list(report.problems),
        }

    @checked
    def start(self, target: str) -> dict[str, Any]:
        """Start a service that is not running."""
        project = self._host.project
        services = {one.kind for one in project.entries.values() if one.config.is_service}
        name = project.id_of(target, *sorted(services))
        self.record("start", name)
        self._host.start_service(project.implied.get(name, name))
        return {"started": name}

    @checked
    def reload(self, ids: list[str] | None = None) -> dict[str, Any]:
        """Read the project again and replace what has changed; see `moonq.run.reload`.

        With `ids` only these entries are replaced.
        """
        self.record("reload", " ".join(ids or [self._host.project.name]))
        return self._host.reload(ids or ()).object()

    @checked
    def stop(self, now: bool = False) -> dict[str, Any]:
        """End the host: let running handlers finish, or hand their messages back *now*."""
        if self._stop is None:
            raise Invalid("this host ends with the command that started it")
        self.record("stop", "now" if now else "orderly")
        self._stop(now)
        return {"stopping": True, "now": now}

    def _rights(self, consumer: Entry | None, actor: str, groups: list[str]) -> Rights:
        if groups and not actor:
            raise Invalid("groups are what an actor may do", hint="say whose they are: --as ACTOR")
        if actor:
            return self._host.services.policies.named(actor, groups)
        return self._host.rights(consumer)

    def _letter(self, message: str, queue: str | None) -> tuple[str, Stored]:
        for source in [self._queue(queue)] if queue is not None else self._sources():
            _, route, origin = self._letters(source)
            found = route.driver.find(route.spec.name, self._full_id(route, message))
            if found is not None and choosing.is_letter(found, origin):
                return source, found
        where = queue if queue is not None else "any queue"
        raise NotFound(
            f"no dead letter {message!r} of {where}", hint="`moonq dead ls QUEUE` shows them"
        )

    def _sources(self) -> Iterator[str]:
        """Yield the queues that keep dead letters."""
        for entry in self._host.project.of_kind("queue.queue"):
            if entry.target("dead_letter"):
                yield entry.id


def _lines(result: CallResult, project: Project) -> dict[str, Any]:
    """Return the lines that ran, with their texts."""
    scripts = {one.source_name: one.script for one in project.entries.values() if one.script}
    lines = []
    for step in result.lines:
        script = scripts.get(step["chunk"])
        text = script.code.line(step["line"]) if script else ""
        took = round(step["took"] * 1000, 3)
        place = {"chunk": step["chunk"], "line": step["line"], "text": text}
        values = [{"name": one["name"], "value": one["value"]} for one in step["values"]]
        lines.append({**place, "took_ms": took, "values": values})
    return {"lines": lines, "lines_left_out": result.lines_left_out}


def call_object(result: CallResult) -> dict[str, Any]:
    """Return what became of a call as plain data."""
    fault = result.fault
    publications = [_publication_object(one) for one in result.published]
    return {
        **result.judged(),
        "values": result.values,
        "error": fault and fault._asdict(),
        "unknown_after": f"would {result.unknown}" if result.unknown else None,
        "would_publish": publications if result.is_dry else [],
        "would_write": result.written,
        "published": [] if result.is_dry else publications,
        "logs": [
            {"level": level_name(one.level), "message": one.message, "fields": one.known()}
            for one in result.logs
        ],
        "took_ms": round(result.took * 1000, 3),
        "memory_bytes": result.memory,
    }


def _publication_object(one: Publication) -> dict[str, Any]:
    body = one.body.decode("utf-8", "replace")
    return {"queue": one.queue, "body": body, "headers": one.headers, "options": one.options}


def _wanted(number: int, found: Mapping[str, Any]) -> Wanted:
    """Return one message of a request as `Queues.publish_batch` takes it."""
    unknown = found.keys() - {"json", "base64", "headers", "options"}
    if unknown or ("json" in found) == ("base64" in found):
        raise Invalid(f"message {number}: give either `json` or `base64`, `headers`, `options`")
    headers, options = found.get("headers") or {}, found.get("options") or {}
    if "base64" in found:
        return Wanted(_bytes(number, found["base64"]), headers, options, is_raw=True)
    if not isinstance(found["json"], str):
        raise Invalid(f"message {number}: `json` must be the text of a body")
    return Wanted(found["json"].encode("utf-8", "surrogatepass"), headers, options)


def _bytes(number: int, text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise Invalid(f"message {number}: `base64` is no base64") from None


def _answer(answer: Receipt | QueueError) -> dict[str, Any]:
    return {"error": error_object(answer)} if isinstance(answer, QueueError) else {"id": answer.id}


def _text(stored: Stored) -> str:
    try:
        text = stored.message.body.decode()
        check_body(stored.message.body)
    except (ValueError, Invalid):
        raise Invalid(f"the body of {stored.message.id} is no JSON") from None
    return text
