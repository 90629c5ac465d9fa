"""The conformance suite of the package, case by case, over every driver there is."""

from __future__ import annotations

import pytest

from moonq.conformance import CASES, Case, Scene

pytestmark = pytest.mark.aside("suite")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_driver_keeps_the_contract(scene: Scene, case: Case) -> None:
    case.prove(scene)


def test_every_case_names_its_clause_and_what_it_claims() -> None:
    assert [str(case) for case in CASES if not (case.clause.startswith("§") and case.claim)] == []


def test_no_two_cases_have_one_name() -> None:
    names = [str(case) for case in CASES]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("section", range(1, 10))
def test_every_section_of_the_contract_has_cases(section: int) -> None:
    assert [case for case in CASES if case.clause.startswith(f"§{section} ")]
