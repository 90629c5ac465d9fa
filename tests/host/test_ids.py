"""Message ids are UUIDs of version 7."""

from __future__ import annotations

import uuid

from moonq.run.ids import new_id


def test_an_id_is_a_uuid_of_version_7_that_tells_its_moment() -> None:
    for _ in range(1000):
        parsed = uuid.UUID(new_id(1_700_000_000.123))
        assert parsed.version == 7
        assert parsed.variant == uuid.RFC_4122
        assert parsed.int >> 80 == 1_700_000_000_123


def test_ids_sort_by_the_moment_of_their_publish_and_never_meet() -> None:
    ids = [new_id(1_700_000_000 + number / 1000) for number in range(5000)]
    assert ids == sorted(ids)
    assert len({new_id(1.0) for _ in range(100_000)}) == 100_000
