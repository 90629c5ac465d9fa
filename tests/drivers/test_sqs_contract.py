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


def findings(folder: Path, *, fifo: bool) -> dict[str, Finding]:
    """Hold the driver against the suite, and return what became of each case by its name."""
    driver = DRIVERS["sqs"]
    config = driver.fields.model_validate({**place("sqs"), "fifo": fifo})
    found = holding.hold(holding.twins(driver, config, folder), driver.pace)
    return {str(one.case): one for one in found}


@pytest.fixture(scope="session")
def standard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    return findings(tmp_path_factory.mktemp("standard"), fifo=False)


@pytest.fixture(scope="session")
def fifo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    return findings(tmp_path_factory.mktemp("fifo"), fifo=True)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_standard_queue_keeps_the_contract(case: Case, standard: dict[str, Finding]) -> None:
    assert standard[str(case)].problem == ""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fifo_queue_keeps_the_contract(case: Case, fifo: dict[str, Finding]) -> None:
    assert fifo[str(case)].problem == ""


def test_hardly_a_case_takes_too_long_to_be_tried(standard: dict[str, Finding]) -> None:
    assert sum(bool(one.skipped) for one in standard.values()) < len(CASES) / 10


def test_the_table_promises_no_more_than_the_types_of_queues_keep() -> None:
    for limits in (STANDARD, FIFO):
        assert set(LIMITS) - set(limits) <= {"group", "dedup", "delay"}
    said = capabilities.words(DRIVERS["sqs"].capabilities)
    assert ("`group`: order per key", "approximate") in said
