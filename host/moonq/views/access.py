"""Who may do what: the answer, and how each policy contributes to it."""

from __future__ import annotations

from collections.abc import Iterator

from moonq.views.screen import Screen
from moonq.views.tables import Cell, Column, Found, facts, sentence, table

_STYLES = {"allow": "good", "deny": "bad", "undefined": "dim"}


def access(found: Found, screen: Screen) -> Iterator[str]:
    """Yield for each entry that the actor acts for what it may, and the policies that say so."""
    for number, case in enumerate(found["cases"]):
        if number:
            yield ""
        yield from _case(found, case, screen)


def _case(found: Found, case: Found, screen: Screen) -> Iterator[str]:
    verb, style = ("may", "good") if case["allowed"] else ("may not", "bad")
    who = case["actor"]["id"] if case["actor"] else found["actor"]
    deed = f" {found['action']} {found['resource']}"
    yield from sentence(screen, (who, "bold"), " ", (verb, style), deed)
    yield from facts(_facts(found, case), screen, indent="  ")
    if case["policies"]:
        yield ""
        yield from table(_COLUMNS, _rows(case), screen, indent="  ")


def _facts(found: Found, case: Found) -> Iterator[tuple[str, str | Cell]]:
    if case["entry"]:
        yield "as", f"{case['entry']}  {case['place']}"
    notes = (case["actor"] or {}).get("meta")
    if notes:
        yield "meta", ", ".join(f"{name}={value}" for name, value in notes.items())
    yield "because", _reason(found, case)
    if case["help"]:
        yield "help", case["help"]
    others = [one for one in found["spellings"] if one != found["action"]]
    if others:
        yield "also called", ", ".join(others)
    if found["together_with"]:
        yield "asked with", _together(found, case)
    if not found["is_known"]:
        likely = f", did you mean {' or '.join(found['likely'])}?" if found["likely"] else ""
        yield "note", (f"moonq asks for no such action{likely or '; scripts may'}", "warn")


def _together(found: Found, case: Found) -> Cell:
    asked, lacking = ", ".join(found["together_with"]), ", ".join(case["lacking"])
    if case["allowed"] and lacking:
        return f"{lacking}, which is not allowed, so it is refused: both must be", "bad"
    return f"{asked}: both must be allowed", ""


def _reason(found: Found, case: Found) -> str:
    if case["policy"]:
        return f"{case['policy']} {'allows' if case['allowed'] else 'denies'} it"
    if case["actor"] and case["has_scope"]:
        return "no policy allows it"
    missing = "scope" if case["actor"] else "actor"
    state = "on" if found["strict_mode"] else "off"
    return f"it has no {missing}, and security.strict_mode is {state}"


def _rows(case: Found) -> Iterator[Found]:
    """Yield a row for each policy, and below it one for each further condition."""
    for policy in case["policies"]:
        steps = {step["part"]: step for step in policy["steps"]}
        conditions = [step for step in policy["steps"] if step["part"] == "condition"]
        first, *more = conditions or [None]
        yield {**policy, **steps, "condition": first}
        for one in more:
            yield {"condition": one}


def _id(row: Found) -> Cell:
    return row.get("id", ""), ""


def _effect(row: Found) -> Cell:
    return row.get("effect", ""), ""


def _verdict(row: Found) -> Cell:
    verdict = row.get("verdict", "")
    return verdict, _STYLES.get(verdict, "")


def _part(name: str) -> Column:
    def cell(row: Found) -> Cell:
        step = row.get(name)
        if step is None:
            return "", ""
        mark, style = ("✓", "good") if step["holds"] else ("✗", "bad")
        return f"{mark} {step['written']}", style

    return Column(f"{name}s" if name == "condition" else name, cell, wraps=True)


def _place(row: Found) -> Cell:
    return row.get("place") or "", "dim"


_COLUMNS = [
    Column("policy", _id, is_id=True),
    Column("effect", _effect),
    _part("actions"),
    _part("resources"),
    _part("condition"),
    Column("says", _verdict),
    Column("written at", _place, drop=1),
]
