"""The conformance suite on SQS, with standard and with FIFO queues: in real time, many at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.drivers.conftest import DRIVERS, place

from moonq.conformance import CASES, Case, holding
from moonq.conformance.holding import Finding
from moonq.drivers import capabilities
from moonq.drivers.sqs.entry import FIFO, LIMITS, STANDARD

pytestmark = pytest.mark.aside("sqs")
#: What FIFO queues do in a way of their own; the rest of it is for the long tests.
OWN = [case for case in CASES if case.topic in ("dedup", "groups", "settling", "stopping")]
OTHERS = [case for case in CASES if case not in OWN]


def findings(folder: Path, cases: list[Case], *, fifo: bool) -> dict[str, Finding]:
    """Hold the driver against *cases*, and return what became of each by its name."""
    driver = DRIVERS["sqs"]
    config = driver.fields.model_validate({**place("sqs"), "fifo": fifo})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holding, "CASES", cases)
        found = holding.hold(holding.twins(driver, config, folder), driver.pace)
        return {str(one.case): one for one in found}


@pytest.fixture(scope="session")
def standard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    return findings(tmp_path_factory.mktemp("standard"), list(CASES), fifo=False)


@pytest.fixture(scope="session")
def fifo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    return findings(tmp_path_factory.mktemp("fifo"), OWN, fifo=True)


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    return findings(tmp_path_factory.mktemp("others"), OTHERS, fifo=True)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_standard_queue_keeps_the_contract(case: Case, standard: dict[str, Finding]) -> None:
    assert standard[str(case)].problem == ""


@pytest.mark.parametrize("case", OWN, ids=str)
def test_a_fifo_queue_keeps_the_contract(case: Case, fifo: dict[str, Finding]) -> None:
    assert fifo[str(case)].problem == ""


@pytest.mark.slow
@pytest.mark.parametrize("case", OTHERS, ids=str)
def test_a_fifo_queue_breaks_nothing_else(case: Case, others: dict[str, Finding]) -> None:
    assert others[str(case)].problem == ""


def test_hardly_a_case_takes_too_long_to_be_tried(standard: dict[str, Finding]) -> None:
    assert sum(bool(one.skipped) for one in standard.values()) < len(CASES) / 10


def test_the_table_promises_no_more_than_the_types_of_queues_keep() -> None:
    for limits in (STANDARD, FIFO):
        assert set(LIMITS) - set(limits) <= {"group", "dedup", "delay"}
    said = capabilities.words(DRIVERS["sqs"].capabilities)
    assert ("`group`: order per key", "approximate") in said
