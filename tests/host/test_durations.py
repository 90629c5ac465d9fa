"""Lengths of time and amounts of memory as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonq import durations
from moonq.text import sizes


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("500ms", 0.5),
        ("5s", 5),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1d 2h", 93600),
        ("1.5s", 1.5),
        (" 5s ", 5),
        ("0s", 0),
        (7, 7),
        (0.25, 0.25),
    ],
)
def test_a_duration_is_text_with_units_or_seconds(written: str | float, seconds: float) -> None:
    assert durations.parse(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["5", "", "5 parsecs", "-5s", "s", "1h30", "five", "5S", "\u0665s", -1, True, float("nan"),
     float("inf"), 10**400, "9" * 400 + "s", None, [], {}],
)  # fmt: skip
def test_what_is_no_duration_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        durations.parse(written)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0ms"), (0.25, "250ms"), (1, "1s"), (2.5, "2.5s"), (90, "1m30s"), (5400, "1h30m"),
     (86400, "1d"), (90061, "1d1h")],
)  # fmt: skip
def test_a_duration_is_shown_with_its_two_largest_units(seconds: float, shown: str) -> None:
    assert durations.show(seconds) == shown


@given(st.integers(0, 86_399))
def test_what_is_shown_reads_back_within_its_last_unit(seconds: int) -> None:
    again = durations.parse(durations.show(seconds))
    assert seconds - again in range(60)


@pytest.mark.parametrize(
    ("written", "count"),
    [("64M", 64 << 20), ("64MiB", 64 << 20), ("64 MB", 64 << 20), ("1.5G", 3 << 29),
     ("512K", 512 << 10), ("100", 100), ("100B", 100), (4096, 4096), (0, 0)],
)  # fmt: skip
def test_a_size_counts_by_1024(written: str | int, count: int) -> None:
    assert sizes.parse(written) == count


@pytest.mark.parametrize("written", ["64T", "M", "", "-1M", "1e3", -1, True, 1.5, None, "9" * 30])
def test_what_is_no_size_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match='a size is expected \\("64M"'):
        sizes.parse(written)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "shown"), [(64 << 20, "64M"), (1536, "1.5K"), (100, "100B"), (1 << 30, "1G")]
)
def test_a_size_is_shown_in_its_largest_unit(count: int, shown: str) -> None:
    assert sizes.show(count) == shown
