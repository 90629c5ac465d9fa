"""The conformance suite on SQS, with standard and with FIFO queues; see `tests.drivers.aside`."""

from __future__ import annotations

import pytest
from tests.drivers import aside

from moonq.conformance import CASES, Case
from moonq.drivers import capabilities, descriptor
from moonq.drivers.sqs.entry import FIFO, LIMITS, STANDARD


@pytest.mark.aside("sqs")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_standard_queue_keeps_the_contract(case: Case) -> None:
    found = aside.findings("sqs")[str(case)]
    assert found.problem == ""


@pytest.mark.aside("sqs:fifo")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fifo_queue_keeps_the_contract(case: Case) -> None:
    found = aside.findings("sqs:fifo")[str(case)]
    assert found.problem == ""


def test_the_table_promises_no_more_than_the_types_of_queues_keep() -> None:
    for limits in (STANDARD, FIFO):
        assert set(LIMITS) - set(limits) <= {"group", "dedup", "delay"}
    said = capabilities.words(descriptor("queue.driver.sqs").capabilities)
    assert ("`group`: order per key", "approximate") in said
