"""The suite as tests of another package's driver, a test for each case.

import pytest

pytest.register_assert_rewrite("moonq.conformance")   # shows the values on both sides

from moonq.conformance.pytest_entry import contract
from moonq_nats import DESCRIPTOR

test_the_driver_keeps_the_contract = contract(DESCRIPTOR, url="nats://127.0.0.1:4222")
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.conformance import CASES, Case
from moonq.conformance.fast import TooLong
from moonq.conformance.holding import prove, twins
from moonq.drivers.descriptors import Descriptor


def contract(driver: Descriptor, **fields: Any) -> Callable[..., None]:
    """Return a test that proves each case at a twin of *driver*, whose entry has these *fields*.

    A twin is erased before and after its case; paths are below pytest's `tmp_path`. Where time
    passes really (`Descriptor.pace`), a case that would wait for hours is skipped.
    """
    config = driver.fields.model_validate({"name": "driver", "kind": driver.kind, **fields})
    numbers = {str(case): number for number, case in enumerate(CASES)}

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test(case: Case, tmp_path: Path) -> None:
        make = twins(driver, config, tmp_path)(numbers[str(case)])
        try:
            prove(case, make, driver.pace)
        except TooLong as reason:
            pytest.skip(str(reason))

    return test
