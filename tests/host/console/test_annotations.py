"""The help of the console is what the Lua files say of themselves."""

from __future__ import annotations

import json
import re

import pytest

from moonq import assets
from moonq.console import manual
from moonq.operations import annotations
from moonq.operations.annotations import reference
from moonq.views import Screen

from ..conftest import MakeHost

#: Types that have a name and no members.
ALIASES = {"queue.Headers", "errors.Kind"}
LIST = """
return function()
  local names = {}
  for _, module in ipairs({ %s }) do
    for name, value in pairs(require(module)) do
      if type(value) == "function" then
        names[#names + 1] = module .. "." .. name
      end
    end
  end
  return names
end
"""


def test_every_public_function_is_described_and_nothing_else(make_host: MakeHost) -> None:
    modules = sorted(assets.stdlib_modules() - {"test"})
    host = make_host(
        "  - {name: list, kind: function.lua, source: file://list.lua, modules: "
        f"{json.dumps(modules)}}}\n",
        list=LIST % ", ".join(f'"{name}"' for name in modules),
    )
    running = set(host.call("app:list").values[0])
    described = {
        function.name
        for name in modules
        for function in annotations.reference().modules[name].functions
    }
    assert described == running


@pytest.mark.parametrize("module", sorted(assets.stdlib_modules()))
def test_every_function_has_a_sentence(module: str) -> None:
    found = annotations.reference().modules[module]
    assert found.summary
    for function in (*found.functions, *found.methods):
        assert function.summary, function.name
        for line in (*function.params, *function.results):
            assert line.type, f"{function.name}: {line}"


def test_a_signature_is_one_line() -> None:
    publish = annotations.reference().function("queue.publish")
    assert publish is not None
    assert publish.signature == (
        "queue.publish(queue_id, body, headers?, options?) -> string|nil, errors.Error|nil"
    )
    assert publish.summary == "Publishes one message."
    assert publish.results[1].remark.endswith("UNAVAILABLE, TIMEOUT (may be stored)")


def test_a_method_is_found_by_its_last_name() -> None:
    reference = annotations.reference()
    found = reference.function("msg:ack")
    assert found is not None
    assert found.name == "queue.Message:ack"


def test_an_ambiguous_last_name_means_nothing() -> None:
    assert annotations.reference().find("get") is None


def test_the_shape_of_a_table_can_be_looked_up() -> None:
    shape = annotations.reference().find("queue.Info")
    assert isinstance(shape, annotations.Shape)
    assert ("oldest_age?", "number", "seconds") in [
        (line.name, line.type, line.remark) for line in shape.fields
    ]


@pytest.mark.parametrize(
    ("name", "fields", "methods"),
    [
        ("queue.Message", [], ["attempt()", "retry(options?)", "reject(reason?)"]),
        ("queue.RetryOptions", ["delay?", "error?"], []),
        ("testing.Queue", ["id"], ["len()", "drain(options?)"]),
        ("testing.Run", ["acked", "attempts"], []),
        ("store.Store", [], ["get(key, default?)", "incr(key, by?, options?)"]),
        ("errors.Error", [], ["kind()", "retryable()"]),
        ("queue.Info", ["ready?", "oldest_age?"], []),
    ],
)
@pytest.mark.parametrize("width", [40, 80, 120])
def test_help_for_a_class_lists_its_fields_and_methods(
    name: str, fields: list[str], methods: list[str], width: int
) -> None:
    lines = list(manual.about(name, Screen(width=width)))
    assert lines[0] == name
    for one in fields:
        assert any(line.startswith(f"  {one} ") for line in lines), one
    for one in methods:
        assert any(line.startswith(f"  :{one} ") for line in lines), one
    assert ("methods" in lines) == bool(methods)


def test_every_class_that_a_function_answers_or_takes_can_be_looked_up() -> None:
    named = re.compile(r"\b(?:queue|testing|store|errors|registry|spies|test|mq)\.[A-Z]\w+")
    known = reference()
    functions = [one for module in known.modules.values() for one in module.functions]
    functions += [one for module in known.modules.values() for one in module.methods]
    types = " ".join(line.type for one in functions for line in (*one.params, *one.results))
    unknown = {name for name in named.findall(types) if known.find(name) is None}
    assert unknown - ALIASES == set()
