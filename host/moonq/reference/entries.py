"""The page about entries: every kind with its fields."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from moonq import drivers
from moonq.drivers.entry import QueueOptions
from moonq.kinds import KINDS
from moonq.reference.markdown import fence, item, items, page, section, sentence
from moonq.registry.common import Config, Lifecycle
from moonq.registry.describing import Field, fields_of

_LEAD = "Every kind of entry that a project's YAML may have, with all its fields."
_ABOUT = """\
An entry is an item of the list `entries` in a YAML file with a `namespace`. In brackets behind a
field stand what it takes, the least and the most, and what holds where it is left out. A
*duration* is `500ms`, `5s`, `1h30m`, or seconds; a *size* is `512K`, `64M`, `1.5G`, or bytes,
counted by 1024. An *id* is `namespace:name`; within its namespace the bare name will do.
`${env:NAME}` and `${env:NAME:-default}` may stand for any text, number or boolean, or for a part
of a text."""
#: What every entry has; each kind's own list leaves it out.
SHARED = tuple(Config.model_fields)


def text() -> str:
    """Return the page."""
    kinds = [*drivers.OURS, *(kind for kind in KINDS if not kind.startswith("queue.driver."))]
    return page("Entries", _LEAD, _ABOUT, _shared(), *map(_kind, kinds))


def _shared() -> str:
    own = [one for one in fields_of(Config) if "." not in one.path]
    started = "Services (drivers, queues, consumers, stores, databases, Python modules) have it:"
    inner = [item(f"lifecycle.{one.path}", one.facts, one.sentence) for one in fields_of(Lifecycle)]
    return "\n\n".join(
        [
            section("Fields of every entry", items(map(_item, own))),
            section("lifecycle", started, items(inner), _lifecycle()),
        ]
    )


def _lifecycle() -> str:
    return fence(
        "yaml",
        """\
lifecycle:
  depends_on: [shop]
  stop_timeout: 30s
  security:
    actor: {id: orders, meta: {role: shop}}
    policies: [may_mail]
""",
    )


def _kind(name: str) -> str:
    model = KINDS[name].model
    about = (model.__doc__ or "").partition("\n")[0].partition(": ")[2]
    own = list(fields_of(model, without=SHARED))
    parts = [sentence(about), _example(model.example), items(map(_item, own))]
    if not own:
        parts.append("It has no fields of its own: any field is kept as it is.")
    if issubclass(model, Config) and model.is_service:
        parts.append("It is a service, with a [lifecycle](#lifecycle).")
    options = getattr(model, "queue_options", None)
    if options is not None:
        parts.append(items(_options(options), "Its queues may have, besides what all may have:"))
    return section(name, *parts)


def _example(text: str) -> str:
    """Return an entry as it stands in the list."""
    return fence("yaml", f"- {indent(text, '  ').strip()}") if text else ""


def _options(model: type[QueueOptions]) -> Iterator[str]:
    """Yield the options that only the queues of one driver have."""
    shared = {one.path for one in fields_of(QueueOptions)}
    for one in fields_of(model):
        if one.path not in shared:
            yield item(f"options.{one.path}", one.facts, one.sentence)


def _item(field: Field) -> str:
    return item(field.path, field.facts, field.sentence)
