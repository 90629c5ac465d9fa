"""Which worker takes next, and how much."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from moonq.run.turns import BACKLOG, Turns
from moonq.run.worker import MAX_BATCH, SLICE, Pace, Worker

QUICK, SLOW = 5e-6, 2 * SLICE
#: Long enough for two to share even slices of five.
SHARED = 20e-6


class AWorker:
    """As much of a worker as a turn knows."""

    def __init__(self, seconds: float) -> None:
        self.pace = Pace()
        self.pace.seconds = seconds


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker of another test is at work."""
    monkeypatch.setattr("moonq.run.turns._at_work", set())


def turns(concurrency: int = 16, prefetch: int = 10, cores: int = 2) -> Turns:
    return Turns(concurrency, prefetch, lambda: cores)


def work(of: Turns, *workers: AWorker, left: int = 0, times: int = 1) -> list[int]:
    """Let each take what it may, or that less *left*; returns how much it might."""
    limits = []
    for worker in workers * times:
        limit = of.enter(worker, 0)  # type: ignore[arg-type]
        if limit:
            of.leave(worker, limit - left, limit)  # type: ignore[arg-type]
        limits.append(limit)
    return limits


def backlog(of: Turns, worker: AWorker) -> None:
    """Let *worker* find more than it may take, until that counts."""
    work(of, worker, times=BACKLOG)


def test_a_quick_worker_takes_most_of_prefetch_and_comes_back_before_the_others() -> None:
    one, other, shared = AWorker(QUICK), AWorker(QUICK), turns()
    assert work(shared, one, other, one, left=5) == [8, 0, 8]


@pytest.mark.parametrize(
    ("concurrency", "prefetch", "most"),
    [(1, 10, 10), (2, 10, 9), (4, 10, 8), (4, 2, 1), (4, 1, 1), (16, 64, 49), (1, 1, 1)],
)
def test_it_leaves_one_for_each_other_worker_up_to_a_quarter(
    concurrency: int, prefetch: int, most: int
) -> None:
    assert work(turns(concurrency, prefetch), AWorker(QUICK)) == [most]


def test_the_others_go_on_with_what_one_that_is_late_has_left() -> None:
    late, *others = (AWorker(QUICK) for _ in range(3))
    shared = turns()
    work(shared, late)
    shared.expect_no_longer(late)  # type: ignore[arg-type]
    assert work(shared, *others, *others) == [2, 0, 2, 0]
    shared.forget(late)  # type: ignore[arg-type]
    assert work(shared, others[0]) == [8]


def test_a_slice_is_a_millisecond_of_work_and_bounded() -> None:
    assert work(turns(prefetch=1000), AWorker(SLICE / 4)) == [4]
    assert work(turns(prefetch=1000), AWorker(1e-9)) == [MAX_BATCH]


def test_a_slow_worker_leaves_the_turn_to_the_next_one() -> None:
    assert work(turns(), *(AWorker(SLOW) for _ in range(5))) == [1] * 5


def test_only_one_at_a_time_waits_for_messages() -> None:
    one, other, shared = AWorker(SLOW), AWorker(SLOW), turns()
    assert shared.enter(one, 0) == 1  # type: ignore[arg-type]
    assert shared.enter(other, 0) == 0  # type: ignore[arg-type]
    shared.leave(one, 0, 1)  # type: ignore[arg-type]
    assert shared.enter(other, 0) == 1  # type: ignore[arg-type]


def test_a_backlog_lets_others_help_with_their_share_and_its_end_sends_them_away() -> None:
    one, other, third = (AWorker(SHARED) for _ in range(3))
    shared = turns()
    backlog(shared, one)
    assert work(shared, one, other, third, one, other) == [5, 5, 0, 5, 5]
    work(shared, one, left=1)
    assert work(shared, other) == [0]


def test_a_full_take_or_two_are_no_backlog() -> None:
    one, other, shared = AWorker(QUICK), AWorker(QUICK), turns()
    work(shared, one, times=BACKLOG - 1)
    assert work(shared, other) == [0]


@pytest.mark.parametrize(
    ("seconds", "prefetch", "cores", "helpers"),
    [
        pytest.param(QUICK, 10, 1, 0, id="no-core-is-free"),
        pytest.param(QUICK, 10, 16, 0, id="slices-too-short-to-share"),
        pytest.param(SHARED, 10, 16, 1, id="slices-too-short-to-share-again"),
        pytest.param(QUICK, 256, 16, 2, id="python-is-busy-with-three"),
        pytest.param(1e-6, 10, 16, 0, id="nearly-all-of-it-is-python"),
        pytest.param(SLICE / 8, 256, 4, 3, id="as-many-as-cores"),
        pytest.param(SLICE / 8, 1000, 64, 15, id="as-many-as-workers"),
    ],
)
def test_as_many_quick_workers_help_as_pay_off(
    seconds: float, prefetch: int, cores: int, helpers: int
) -> None:
    one, shared = AWorker(seconds), turns(prefetch=prefetch, cores=cores)
    backlog(shared, one)
    limits = work(shared, *(AWorker(seconds) for _ in range(20)))
    assert len([limit for limit in limits if limit]) == helpers


def test_who_does_not_come_back_in_time_is_waited_for_no_longer() -> None:
    one, other, shared = AWorker(QUICK), AWorker(QUICK), turns()
    work(shared, one)
    shared.expect_no_longer(one)  # type: ignore[arg-type]
    assert work(shared, other) == [2]


def test_a_worker_that_has_to_open_a_new_state_is_waited_for_no_longer() -> None:
    order: list[str] = []
    caller, settler = SimpleNamespace(), SimpleNamespace(notes=None)
    make_state = lambda *_: order.append("opens") or SimpleNamespace(guard=SimpleNamespace())  # noqa: E731
    late = lambda _: order.append("late")  # noqa: E731
    Worker(1, caller, make_state, settler, late, late).open()  # type: ignore[arg-type]
    assert order == ["late", "opens"]


def test_nobody_enters_what_is_closed() -> None:
    shared = turns()
    shared.close()
    assert work(shared, AWorker(QUICK), AWorker(SLOW)) == [0, 0]
