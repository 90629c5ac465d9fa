"""`moonq guide` and `moonq explain`, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Said

from moonq.manual import Manual

Run = Callable[..., Said]


def test_the_guide_lists_every_page(moonq: Run) -> None:
    said = moonq("guide")
    assert said.code == 0
    assert [one.name for one in Manual.of_package().pages if one.name not in said.out] == []


def test_a_pipe_gets_the_page_itself(moonq: Run) -> None:
    said = moonq("guide", "which-driver")
    assert said.out.strip() == Manual.of_package().page("which-driver").text.strip()


def test_a_search_says_how_to_read_on(moonq: Run) -> None:
    said = moonq("guide", "--search", "dead letters", "amqp")
    first = said.out.splitlines()[0]
    assert first.startswith("moonq guide amqp#")
    assert moonq("guide", first.rpartition(" ")[2]).code == 0


def test_words_of_a_search_and_of_a_page_need_no_quotes(moonq: Run) -> None:
    quoted = moonq("guide", "--search", "dead letter")
    assert quoted.code == 0
    assert moonq("guide", "--search", "dead", "letter").out == quoted.out
    assert moonq("guide", "getting", "started").out.startswith("# Getting started")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("guide", "nosuch"), "no page 'nosuch'"),
        (("guide", "amqp#nosuch"), "page amqp has no section 'nosuch'"),
        (("guide", "--search", "nosuchword"), "no line of the manual has 'nosuchword'"),
        (("explain", "nosuch"), "does not explain 'nosuch'"),
    ],
)
def test_what_is_not_in_the_manual_is_not_found(
    moonq: Run, args: tuple[str, ...], told: str
) -> None:
    said = moonq(*args)
    assert (said.code, said.out) == (4, "")
    assert told in said.err


def test_explain_answers_in_one_screen(moonq: Run) -> None:
    said = moonq("explain", "what", "to", "know")
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) < 40


@pytest.mark.parametrize("words", [["--until-idle"], ["run", "--until-idle"]])
def test_explain_takes_an_option_for_a_name(moonq: Run, words: list[str]) -> None:
    assert moonq("explain", *words).out.startswith("- `--until-idle`")


def test_the_answers_are_documents_for_machines(moonq: Run) -> None:
    pages = json.loads(moonq("--json", "guide").out)
    assert pages["schema"] == "moonq.guide/1"
    assert {"name", "title", "summary"} == set(pages["pages"][0])
    hits = json.loads(moonq("--json", "guide", "--search", "redis").out)
    assert hits["schema"] == "moonq.guide.hits/1"
    page = json.loads(moonq("--json", "guide", "amqp").out)
    assert page["text"].startswith("# ")


def test_an_error_names_the_command_that_explains_it(moonq: Run, tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text("namespace: a\nentries:\n  - {name: q, kind: queu}\n")
    said = moonq("check", tmp_path)
    assert "= more: moonq explain R" in said.out
