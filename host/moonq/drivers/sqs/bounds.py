"""The limits of SQS, in its own terms: real seconds and bytes.

Emulators let much of this pass, so what is here is checked before anything is sent.
"""

from __future__ import annotations

import re

#: Entries of one batch.
MANY = 10
#: Bytes of one batch, whatever a queue takes.
BATCH_BYTES = 1024 * 1024
#: What a queue takes that does not say: the service's older limit.
OLD_SIZE = 256 * 1024
#: What a queue takes at most.
MOST_SIZE = 1024 * 1024
#: Kept free in front of a queue's limit, so that whatever is accepted can be dead-lettered.
ROOM = 16 * 1024
#: The longest `DelaySeconds`.
MOST_DELAY = 900
#: The longest time that one receipt is good for, from the first receive on.
MOST_VISIBILITY = 12 * 3600
#: The longest timeout of a handler: an hour remains for waiting in a buffer.
MOST_TIMEOUT = 11 * 3600
#: What every queue that we make keeps messages for; SQS's most.
RETENTION = 14 * 86400
#: An older message is near its end, and somebody is told.
OLD_AGE = 12 * 86400
#: The longest poll.
LONG_POLL = 20
#: The only window in which FIFO queues know a key.
DEDUP_WINDOW = 300.0
#: Between two purges of a queue.
PURGE_PAUSE = 60

_ODD = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


def is_plain(text: str) -> bool:
    """Whether SQS takes *text* and gives it back as it was; no carriage return: XML has none."""
    return _ODD.search(text) is None


def is_token(text: str) -> bool:
    """Whether *text* may be the id of a group or of a deduplication."""
    return _TOKEN.fullmatch(text) is not None
