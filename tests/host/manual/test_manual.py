"""What the manual finds: pages, sections, items, and words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from moonq.errors import NotFound
from moonq.manual import Manual
from moonq.views import Screen
from moonq.views import manual as views

KINDS = """# Kinds

What an entry may be.

## queue.queue

Where messages wait.

- `driver` (id, required): where they lie.
- `max_bytes` (size): how much
  it may hold.
- `retry.max_delay` (duration): the longest wait.

## queue.consumer

Binds a queue.

### `Lifecycle`

```yaml
# queue.fake is no heading
```

- **`prefetch`** (integer): how many it takes.
- plain words
- `driver`: another one. See [a queue](#queuequeue), [codes](codes.md#r202-no-such-entry), [away](https://a.b/c).
"""
CODES = """# Codes

## R202: no such entry

The cure.

## Twice

## Twice
"""


def test_every_page_says_below_its_title_in_one_sentence_what_it_is_for() -> None:
    for page in Manual.of_package().pages:
        assert page.title, page.name
        assert re.fullmatch(r"[A-Z](?:(?!\. ).)+\.", page.summary), (page.name, page.summary)


@pytest.fixture
def manual(tmp_path: Path) -> Manual:
    (tmp_path / "kinds.md").write_text(KINDS)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "codes.md").write_text(CODES)
    return Manual(tmp_path)


def test_a_page_has_a_title_and_a_summary(manual: Manual) -> None:
    found = [(one.name, one.title, one.summary) for one in manual.pages]
    assert found == [
        ("kinds", "Kinds", "What an entry may be."),
        ("reference/codes", "Codes", "The cure."),
    ]


def test_the_last_part_of_a_path_names_a_page(manual: Manual) -> None:
    assert manual.page("codes").title == manual.page("reference/codes.md").title == "Codes"
    with pytest.raises(NotFound, match="no page 'kind'") as missing:
        manual.page("kind")
    assert missing.value.hint == "did you mean `kinds`?"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("r202", ["## R202: no such entry\n\nThe cure."]),
        ("QUEUE.QUEUE", [KINDS[KINDS.index("## queue.queue") : KINDS.index("\n\n## queue.cons")]]),
        ("lifecycle", [KINDS[KINDS.index("### `Life") :].strip()]),
        ("max_bytes", ["- `max_bytes` (size): how much\n  it may hold."]),
        ("`prefetch`", ["- **`prefetch`** (integer): how many it takes."]),
        ("queue.queue.driver", ["- `driver` (id, required): where they lie."]),
        ("max_delay", ["- `retry.max_delay` (duration): the longest wait."]),
    ],
)
def test_a_name_is_explained_by_its_heading_or_its_item(
    manual: Manual, name: str, shown: list[str]
) -> None:
    assert [one.text for one in manual.about(name)] == shown


def test_a_field_of_two_kinds_is_shown_of_both(manual: Manual) -> None:
    places = [views.place(one) for one in manual.about("driver")]
    assert places == ["kinds#queuequeue", "kinds#lifecycle"]


def test_what_the_reference_says_comes_before_what_a_guide_calls_so(tmp_path: Path) -> None:
    (tmp_path / "purge.md").write_text("# Purge\n\nA page.\n\n## Purge\n\n## Room\n\n## Alone\n")
    (tmp_path / "alone.md").write_text("# Whole\n")
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "all.md").write_text("# All\n\n## moonq purge\n\n- `room`: none.\n")
    manual = Manual(tmp_path)
    shown = {
        name: [one.text.partition("\n")[0] for one in manual.about(name)]
        for name in ("purge", "room", "alone", "whole")
    }
    assert shown == {
        "purge": ["## moonq purge", "## Purge"],
        "room": ["- `room`: none.", "## Room"],
        "alone": ["## Alone"],
        "whole": ["# Whole"],
    }


def test_what_the_manual_does_not_explain_is_guessed_at(manual: Manual) -> None:
    with pytest.raises(NotFound, match="does not explain 'R203'") as missing:
        manual.about("R203")
    assert missing.value.hint == "did you mean `R202`?"
    with pytest.raises(NotFound, match="does not explain"):
        manual.about("queue.fake is no heading")


def test_all_words_of_a_search_stand_in_a_line_and_headings_come_first(manual: Manual) -> None:
    assert [one.line for one in manual.search("ENTRY")][:2] == [
        "## R202: no such entry",
        "What an entry may be.",
    ]
    assert [one.line for one in manual.search("it many")] == [
        "- **`prefetch`** (integer): how many it takes."
    ]


def test_anchors_are_those_of_a_repository_browser(manual: Manual) -> None:
    anchors = [one.anchor for one in manual.page("codes").sections]
    assert anchors == ["codes", "r202-no-such-entry", "twice", "twice-1"]


def test_a_terminal_shows_the_command_that_follows_a_link(manual: Manual) -> None:
    drawn = "\n".join(views.excerpt(manual.part("kinds#lifecycle"), Screen(width=200)))
    assert "(moonq guide kinds#queuequeue)" in drawn
    assert "(moonq guide codes#r202-no-such-entry)" in drawn
    assert "(https://a.b/c)" in drawn
