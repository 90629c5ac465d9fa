"""The table of verbs: what is made from it agrees with it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click
import pytest

from moonq import views
from moonq.cli import COMMANDS
from moonq.cli import moonq as group
from moonq.errors import Invalid, ReadOnly
from moonq.host import Host
from moonq.operations.annotations import Function, reference
from moonq.operations.choosing import Selection
from moonq.operations.performing import Operations
from moonq.operations.verb import REQUIRED, Argument, Question, Verb
from moonq.operations.verbs import VERBS


@pytest.mark.parametrize("verb", VERBS.values(), ids=list(VERBS))
def test_a_row_has_the_parameters_of_its_method(verb: Verb) -> None:
    found = list(inspect.signature(getattr(Operations, verb.name)).parameters.values())[1:]
    rest = [one for one in found if one.kind is inspect.Parameter.VAR_KEYWORD]
    declared = [
        (one.name, REQUIRED if one.default is inspect.Parameter.empty else one.default)
        for one in found
        if one not in rest
    ]
    selected = Selection.model_fields if rest else {}
    own = [(one.name, one.default) for one in verb.fields() if one.name not in selected]
    assert own == declared


def test_what_takes_messages_away_refuses_a_filter_that_its_row_does_not_have(
    host: Host,
) -> None:
    with pytest.raises(Invalid, match="purge: unknown field 'error'"):
        Operations(host, "me").perform("purge", {"queue": "idle", "error": "a41"})
    with pytest.raises(Invalid, match="drop: field 'older': 'soon' is not a duration"):
        Operations(host, "me").perform("drop", {"queue": "jobs", "older": "soon"})


@pytest.mark.parametrize("verb", VERBS.values(), ids=list(VERBS))
def test_a_row_names_a_view_and_is_explained(verb: Verb) -> None:
    assert verb.about[0].islower()
    assert not verb.about.endswith(".")
    if verb.command or verb.typed:
        assert callable(getattr(views, verb.view))
    if verb.command:
        assert verb.schema
        assert verb.examples or verb.name == "publish"


@pytest.mark.parametrize(
    "verb", [one for one in VERBS.values() if one.lua], ids=lambda one: one.lua
)
def test_the_help_of_mq_has_what_the_row_says(verb: Verb) -> None:
    found = reference().function(verb.lua)
    assert isinstance(found, Function)
    assert found.signature.partition(" -> ")[0] == (
        f"{verb.lua}({', '.join(verb.lua_parameters())})"
    )
    assert found.summary == verb.sentence()


def test_every_verb_with_a_command_is_on_the_command_line() -> None:
    context = click.Context(group)
    for verb in VERBS.values():
        first, _, second = verb.command.partition(" ")
        command = group.get_command(context, first) if first else None
        if isinstance(command, click.Group):
            command = command.get_command(context, second)
        assert command is not None or not first, verb.name
        named = {one.name for one in command.params} if command else set()
        assert {one.name for one in verb.arguments if one.cli} <= named or not first


def test_the_readme_says_what_the_table_says(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `moonq (\w+)[^`]*` \| (.*) \|$", readme, re.MULTILINE))
    assert rows.keys() == COMMANDS.keys()
    assert [name for name, about in COMMANDS.items() if not rows[name].startswith(about)] == []


@pytest.mark.parametrize(
    ("name", "count", "production", "question"),
    [
        ("pause", 1, False, Question.NONE),
        ("pause", 1, True, Question.YES),
        ("retry", 5000, False, Question.YES),
        ("retry", 5000, True, Question.YES),
        ("drop", 10, False, Question.YES),
        ("drop", 11, False, Question.NAME),
        ("purge", 1, True, Question.NAME),
        ("peek", 1, True, Question.NONE),
    ],
)
def test_how_a_verb_is_confirmed_follows_from_its_row(
    name: str, count: int, production: bool, question: Question
) -> None:
    assert VERBS[name].question(count, production=production) is question


def test_what_a_read_only_session_may_do_follows_from_the_row() -> None:
    assert not VERBS["call"].needs_write({"function": "work"})
    assert VERBS["call"].needs_write({"function": "work", "send": True})
    assert VERBS["peek"].needs_write({"queue": "jobs", "redact": False})
    assert not VERBS["replay"].needs_write({"message": "a"})
    assert VERBS["publish"].needs_write({"queue": "jobs"})
    assert not VERBS["publish"].needs_write({"queue": "jobs", "dry_run": True})


def test_the_hint_of_a_read_only_session_names_no_option_that_is_not_there(host: Host) -> None:
    operations = Operations(host, "me")
    with pytest.raises(ReadOnly) as raw:
        operations.perform("peek", {"queue": "idle", "redact": False}, read_only=True)
    with pytest.raises(ReadOnly) as pause:
        operations.perform("pause", {"target": "idle"}, read_only=True)
    assert "--yes" not in raw.value.hint
    assert "--yes" in pause.value.hint


def test_an_argument_is_spelt_the_same_everywhere() -> None:
    spelt: dict[tuple[str, str], set[str]] = {}
    for verb in VERBS.values():
        for one in verb.arguments:
            assert isinstance(one, Argument)
            if one.lua:
                spelt.setdefault((one.name, one.source), set()).add(one.lua)
    assert {name: words for name, words in spelt.items() if len(words) > 1} == {}
