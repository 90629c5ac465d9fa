"""JSON with comments: read as it is meant, and added to without another change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from moonq.editor import settings
from moonq.editor.jsonc import Jsonc, NotJson

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
MAPS = st.dictionaries(st.text(), VALUES)
NOISE = st.sampled_from(["", " ", "\n", "// no, { } [\n", '/* "a": , */', "\t/* * / */ "])


@limits(max_examples=30)
@given(MAPS, st.booleans(), NOISE, NOISE)
def test_what_is_read_is_what_was_written(
    value: dict[str, Any], is_ascii: bool, before: str, behind: str
) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=1)
    if value:
        text = f"{text[:-2]},{behind}\n}}"
    assert Jsonc(f"{before}{text}{behind}").value == value


@limits(max_examples=30)
@given(MAPS, NOISE)
def test_what_is_added_is_there_and_nothing_else_has_changed(
    value: dict[str, Any], noise: str
) -> None:
    text = f"{noise}{json.dumps(value, indent=2)}"
    more = {f"new {len(value)}": [1], f"newer {len(value)}": {"a": None}}
    made = Jsonc(text).added(more)
    assert Jsonc(made).value == value | more
    assert json.loads(made.removeprefix(noise)) == value | more
    rest = made.replace("\n", "").replace(" ", "")
    assert rest.startswith((noise + "{").replace("\n", "").replace(" ", ""))


@given(st.text(alphabet='{}[]",:/*\\ \n1a'))
def test_any_text_is_read_or_is_no_json(text: str) -> None:
    try:
        found = Jsonc(text).value
    except NotJson:
        return
    assert isinstance(found, dict)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"a" 1}', '{"a": 1', "{,}", '{"a": 1} x', '{"a": nil}']
)
def test_what_is_no_map_says_on_which_line(text: str) -> None:
    with pytest.raises(NotJson, match="line 1 is no JSON"):
        Jsonc(text)


@pytest.mark.parametrize("file", settings.FILES)
def test_settings_that_are_whole_stay_as_they_are(file: str) -> None:
    whole = settings.merged(file, "")
    assert settings.merged(file, whole) == whole
    assert json.loads(whole)


@pytest.mark.parametrize(
    "text",
    [
        '{"workspace": {"library": []}}',
        '{"Lua.workspace.library": {"vendor": true}}',
        '{"workspace.library": ["./.moonq/types/"]}',
        '{"runtime": {"builtin": {"os": "enable"}}}',
    ],
)
def test_settings_are_found_however_they_are_nested(text: str) -> None:
    made = Jsonc(settings.merged(settings.LUARC, text))
    names = [name.removeprefix("Lua.") for name in made.dotted()]
    for name in ("workspace.library", "runtime.builtin", "runtime.builtin.io"):
        assert names.count(name) == 1
    assert str(made.value).count(".moonq/types") == 1
