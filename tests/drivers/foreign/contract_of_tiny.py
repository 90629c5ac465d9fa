"""The tests of a package that has a driver: the suite of moonq, a test for each case."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("moonq.conformance")

from moonq_tiny import DESCRIPTOR  # noqa: E402

from moonq.conformance.pytest_entry import contract  # noqa: E402

test_tiny_keeps_the_contract = contract(DESCRIPTOR, room=7)
