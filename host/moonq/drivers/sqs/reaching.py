"""Asks SQS who it is, for `moonq doctor`: the region, and whether any queue forgets too soon."""

from __future__ import annotations

from moonq.drivers.sqs.bounds import RETENTION
from moonq.drivers.sqs.service import Service, Settings, made
from moonq.text.wording import plural

#: Queues whose settings are looked at.
MANY = 100


def reach(settings: Settings, prefix: str) -> str:
    """Return a line about SQS and the queues whose names begin with *prefix*.

    Raises:
        QueueError: It does not answer, or turns us away.
    """
    service = Service(settings, lambda kind, detail: None)
    urls = service.urls(prefix)
    region = made(settings, settings.timeout).meta.region_name
    where = f"{settings.endpoint} as {region}" if settings.endpoint else f"SQS in {region}"
    named = f" named {prefix}…" if prefix else ""
    parts = [f"{where}: {plural(len(urls), 'queue')}{named}", *_short(service, urls[:MANY])]
    return "; ".join(parts)


def _short(service: Service, urls: list[str]) -> list[str]:
    found = []
    for url in urls:
        kept = int(service.attributes(url).get("MessageRetentionPeriod", RETENTION))
        if kept < RETENTION:
            name = url.rpartition("/")[2]
            found.append(f"{name} forgets messages after {kept / 86_400:g} days, set it to 14 days")
    return found
