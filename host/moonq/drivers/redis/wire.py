"""Messages as they lie in the server, there and back; the page of it for others is `WIRE.md`.

The blob of a message is what its publisher wrote, and never changes: a line of JSON, then the body.
What happened to it since is its tale, which the scripts keep beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quoted
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from moonq.drivers.letters import STORY, X_REDRIVEN, dead_letter
from moonq.drivers.story import Story, errors, errors_text
from moonq.model import NO_HEADERS, Message, Priority, Scalar, Stored
from moonq.text.json_in import parsed

if TYPE_CHECKING:
    from moonq.drivers.redis.times import StoreTime

USUAL_TYPE = "application/json"
_PRIORITIES = tuple(Priority)
_PLAIN = re.compile(rb'\{"id":"([\w.:-]+)","at":([\d.]+)\}', re.ASCII).fullmatch
#: The most of a tale: what a message has that nothing happened to.
NO_TALE: Mapping[str, Any] = MappingProxyType({})


def packed(message: Message) -> bytes:
    """Return the blob of *message*."""
    head = f'{{"id":{quoted(message.id)},"at":{message.published_at!r}'
    if message.content_type != USUAL_TYPE:
        head += f',"type":{quoted(message.content_type)}'
    if message.priority is not Priority.NORMAL:
        head += f',"priority":{int(message.priority)}'
    if message.dedup_key is not None:
        head += f',"key":{quoted(message.dedup_key)}'
    if message.group is not None:
        head += f',"group":{quoted(message.group)}'
    if message.headers:
        head += f',"headers":{json.dumps(dict(message.headers))}'
    return b"%b}\n%b" % (head.encode(), message.body)


def unpacked(blob: bytes) -> Message:
    """Return the message of *blob*; what somebody else has put there is all body."""
    end = blob.find(b"\n")
    plain = _PLAIN(blob, 0, end)
    if plain is not None:
        # The most of them; a parser for all of JSON would take longer than all the rest.
        name, at = plain.groups()
        return Message(name.decode(), blob[end + 1 :], float(at))
    try:
        fields = parsed(blob[:end])
        headers = fields.get("headers")
        return Message(
            fields["id"],
            blob[end + 1 :],
            fields["at"],
            NO_HEADERS if headers is None else MappingProxyType(headers),
            fields.get("type", USUAL_TYPE),
            _PRIORITIES[fields.get("priority", 1)],
            0.0,
            None,
            fields.get("key"),
            fields.get("group"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration):
        return Message("", blob, 0.0)


def tale_of(text: bytes | None) -> Mapping[str, Any]:
    """Return a tale as it is stored."""
    if not text:
        return NO_TALE
    found: dict[str, Any] = json.loads(text)
    return found


def dressed(message: Message, tale: Mapping[str, Any], time: StoreTime) -> Message:
    """Return *message* as its tale has made it: redriven, a dead letter, or as it was."""
    lives, death = tale.get("lives"), tale.get("death")
    if lives:
        headers: dict[str, Scalar] = {
            key: value for key, value in message.headers.items() if key not in STORY
        }
        headers[X_REDRIVEN] = int(headers.get(X_REDRIVEN, 0)) + int(lives)
        message = message._replace(headers=MappingProxyType(headers), dedup_key=None)
    if death:
        story = Story(
            int(death["attempts"]), int(death["interruptions"]), errors=errors(tale.get("errors"))
        )
        message = dead_letter(
            message,
            story,
            queue=tale["origin"],
            reason=death["reason"],
            time=time.wall(float(death["time"])),
            ran=True,
        )
    return message


def counters(tale: Mapping[str, Any]) -> tuple[int, int, int, float | None]:
    """Return attempt, interruptions, snoozes and when the last lease was lost."""
    lost_at = tale.get("lost_at")
    return (
        int(tale.get("attempt", 1)),
        int(tale.get("interruptions", 0)),
        int(tale.get("snoozes", 0)),
        None if lost_at is None else float(lost_at),
    )


def story_text(story: Story) -> str:
    """Return what a tale keeps of *story*, whose moments are the store's."""
    if story[:4] == (1, 0, 0, None) and not story.errors:
        return "{}"
    return json.dumps(_story(story))


def _story(story: Story) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if story.attempt != 1:
        kept["attempt"] = story.attempt
    if story.interruptions:
        kept["interruptions"] = story.interruptions
    if story.snoozes:
        kept["snoozes"] = story.snoozes
    if story.lost_at is not None:
        kept["lost_at"] = repr(story.lost_at)
    if story.errors:
        kept["errors"] = errors_text(story.errors)
    return kept


def adopted_tale(stored: Stored, origin: str | None, *, parked: bool, time: StoreTime) -> str:
    """Return the tale of a message that lay elsewhere."""
    story = Story.of(stored)._replace(lost_at=time.moment(stored.lost_at))
    tale = _story(story)
    message = stored.message
    if message.priority is not Priority.NORMAL:
        tale["priority"] = int(message.priority)
    if message.group is not None:
        tale["group"] = message.group
    if origin is not None:
        tale["origin"] = origin
    if stored.lost_at is not None:
        tale["suspect"] = True
    if parked:
        tale["parked"] = True
    return json.dumps(tale)
