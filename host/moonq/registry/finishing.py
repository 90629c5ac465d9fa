"""Fills in what only the other entries know: a driver's options, a function's time limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from moonq.drivers.entry import DriverFields
from moonq.kinds.consumer import Consumer
from moonq.kinds.helpers import Policy
from moonq.kinds.queue import DeadLetter, Queue
from moonq.kinds.scripts import Function
from moonq.registry.common import Config
from moonq.registry.drafts import Draft
from moonq.registry.problems import Problems
from moonq.registry.references import DEAD
from moonq.registry.yaml.nodes import Map, locate
from moonq.text.findings import Finding
from moonq.text.suggestions import close, question

#: Unsettled deliveries of a consumer that says nothing; its workers may need more.
PREFETCH = 10


def finish(drafts: Mapping[str, Draft]) -> list[Finding]:
    """Complete the fields of queues and consumers; return what does not fit together."""
    finisher = _Finisher(drafts)
    for draft in drafts.values():
        if isinstance(draft.config, Queue):
            finisher.queue(draft, draft.config)
    for draft in drafts.values():
        if isinstance(draft.config, Consumer):
            finisher.consumer(draft, draft.config)
    return [*finisher.findings, *_same_name(drafts), *_empty_groups(drafts)]


class _Finisher:
    def __init__(self, drafts: Mapping[str, Draft]) -> None:
        self.drafts = drafts
        self.findings: list[Finding] = []

    def _config(self, id_: str) -> Config | None:
        draft = self.drafts.get(id_) or self.drafts.get(id_.removesuffix(DEAD))
        return draft.config if draft else None

    def queue(self, draft: Draft, queue: Queue) -> None:
        changed: dict[str, Any] = {}
        if queue.dead_letter:
            changed["dead_letter"] = self._dead_letter(draft, queue, queue.dead_letter)
        driver = self._config(queue.driver)
        if isinstance(driver, DriverFields):
            defaults = driver.queue_defaults()
            changed["options"] = self._options(draft, driver, driver.queue_options, defaults)
        draft.config = queue.model_copy(update=changed)

    def _dead_letter(self, draft: Draft, queue: Queue, dead: DeadLetter) -> DeadLetter:
        target = self._config(dead.queue) if dead.queue else None
        if isinstance(target, Queue) and target.driver != queue.driver:
            # A dead letter must be stored and its source settled in one step of one driver.
            self.findings.append(
                Finding(
                    "error",
                    "R214",
                    f"`dead_letter.queue` must be a queue of the same driver, `{queue.driver}`",
                    (draft.span(_inside(draft, "dead_letter", "queue"), f"at {target.driver}"),),
                    (),
                    (f"leave `queue` out for the default, `{draft.id}{DEAD}`",),
                )
            )
        return dead.model_copy(update={"queue": dead.queue or f"{draft.id}{DEAD}"})

    def consumer(self, draft: Draft, consumer: Consumer) -> None:
        changed: dict[str, Any] = {}
        if not consumer.prefetch:
            changed["prefetch"] = max(PREFETCH, consumer.concurrency)
        function = self._config(consumer.func)
        if "timeout" not in consumer.model_fields_set and isinstance(function, Function):
            changed["timeout"] = function.limits.timeout
        queue = self._config(consumer.queue)
        driver = self._config(queue.driver) if isinstance(queue, Queue) else None
        if isinstance(driver, DriverFields):
            changed["options"] = self._options(draft, driver, driver.consumer_options, {})
        draft.config = consumer.model_copy(update=changed)

    def _options(
        self, draft: Draft, driver: DriverFields, model: type[BaseModel], defaults: dict[str, Any]
    ) -> BaseModel:
        node = draft.node.get("options")
        written = {} if draft.options is None else draft.options
        if node is None or not isinstance(node, Map):
            if written:
                message = "`options` must be a map"
                self.findings.append(Finding("error", "R207", message, (draft.span(node),)))
            return model.model_validate(defaults)
        try:
            return model.model_validate({**defaults, **written})
        except ValidationError as error:
            what = draft.kind.rpartition(".")[2]
            problems = Problems(draft.source, node, model, f"a {what} at {driver.kind}", "option")
            self.findings += problems.of(error)
            return model.model_validate(defaults)


def _inside(draft: Draft, *path: str) -> Any:
    node: Any = draft.node
    for step in path:
        node = node.get(step) if isinstance(node, Map) else None
    return node


def _same_name(drafts: Mapping[str, Draft]) -> list[Finding]:
    """Two queues with one name at one driver would eat each other's messages."""
    seen: dict[tuple[str, str], Draft] = {}
    findings = []
    for draft in drafts.values():
        queue = draft.config
        if isinstance(queue, Queue):
            first = seen.setdefault((queue.driver, queue.queue_name or draft.id), draft)
            if first is not draft:
                findings.append(
                    Finding(
                        "error",
                        "R215",
                        f"`{first.id}` and `{draft.id}` have the same name at their driver",
                        (
                            draft.span(draft.node.get("queue_name"), "the second one"),
                            first.span(
                                first.node.get("queue_name"), "the first one", primary=False
                            ),
                        ),
                        (),
                        ("give one of them another `queue_name`",),
                    )
                )
    return findings


def _empty_groups(drafts: Mapping[str, Draft]) -> list[Finding]:
    """A group without policies allows nothing, which is hardly what its author meant."""
    known = {
        group
        for draft in drafts.values()
        if isinstance(draft.config, Policy)
        for group in draft.config.groups
    }
    findings = []
    for draft in drafts.values():
        groups = draft.config.lifecycle.security.groups if draft.config else []
        for at, group in enumerate(groups):
            if group not in known:
                likely = question(close(group, known))
                node = locate(draft.node, ("lifecycle", "security", "groups", at))
                findings.append(
                    Finding(
                        "warning",
                        "R216",
                        f"no policy belongs to the group `{group}`, so it allows nothing",
                        (draft.span(node),),
                        (),
                        (likely,) if likely else (),
                    )
                )
    return findings
