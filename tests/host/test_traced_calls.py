"""A call that shows the lines that ran."""

from __future__ import annotations

from typing import Any

import pytest

from moonq.host import CallResult, Host
from moonq.operations.performing import Operations
from moonq.views import Screen, called

from .conftest import MakeHost

WORK = """\
local function double(n)
  local twice = 2 * n
  return twice
end

return function(order)
  local sum = 0
  for i = 1, order.times do
    sum = sum + double(i)
  end
  if order.bad then
    error("bad")
  end
  while order.forever do
  end
  return sum
end
"""
ENTRIES = """
  - {name: work, kind: function.lua, source: file://work.lua, limits: {timeout: 0.2}}
  - {name: apart, kind: function.lua, source: file://work.lua, isolation: process}
"""


@pytest.fixture
def host(make_host: MakeHost) -> Host:
    return make_host(ENTRIES, work=WORK)


def run(host: Host, arguments: str, **options: Any) -> CallResult:
    return host.call("work", arguments, send=False, trace=True, **options)


def steps(result: CallResult) -> list[int]:
    return [step["line"] for step in result.lines]


def test_lines_are_shown_in_the_order_in_which_they_ran(host: Host) -> None:
    result = run(host, '{"times": 2}')
    assert result.values == [6]
    assert steps(result) == [7, 8, 9, 2, 3, 8, 9, 2, 3, 8, 11, 14, 16]


def test_a_line_shows_what_it_has_set(host: Host) -> None:
    values = {
        (step["line"], one["name"]): one["value"]
        for step in run(host, '{"times": 1}').lines
        for one in step["values"]
    }
    assert values[7, "order"] == "{ times = 1 }", "the arguments stand at the first line"
    assert values[7, "sum"] == "0"
    assert values[2, "twice"] == "2"
    assert values[9, "sum"] == "2"


def test_every_line_has_its_time(host: Host) -> None:
    result = run(host, '{"times": 3}')
    assert all(0 <= step["took"] <= result.took for step in result.lines)


def test_a_call_that_fails_shows_the_way_to_it(host: Host) -> None:
    result = run(host, '{"times": 0, "bad": true}')
    assert result.fault is not None
    assert steps(result)[-1] == 12


def test_a_call_that_is_stopped_shows_no_more_than_there_is_room_for(host: Host) -> None:
    result = run(host, '{"times": 0, "forever": true}')
    assert result.fault is not None
    assert result.fault.kind == "TIMEOUT"
    assert len(result.lines) <= 500


def test_many_lines_are_counted(host: Host) -> None:
    result = run(host, '{"times": 1000}')
    assert len(result.lines) == 500
    assert result.lines_left_out > 3000


def test_a_function_with_a_process_of_its_own_is_traced_here(host: Host) -> None:
    result = host.call("apart", '{"times": 1}', send=False, trace=True)
    assert 9 in steps(result)


def test_a_traced_message_is_judged_as_any(host: Host) -> None:
    result = run(host, '{"times": 1}', as_message=True)
    assert result.judged()["verdict"] == "ack"
    assert 9 in steps(result)


def test_people_see_place_time_text_and_values(host: Host) -> None:
    found = Operations(host, "me").call(function="work", argument='{"times": 1}', trace=True)
    text = "\n".join(called(found, Screen(width=80)))
    assert "work.lua:9" in text
    assert "sum = sum + double(i)" in text
    assert "sum = 2" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "lines" not in Operations(host, "me").call(function="work", argument='{"times": 1}')
