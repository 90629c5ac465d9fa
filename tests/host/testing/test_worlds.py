"""What is under test is new for every test, and runs in virtual time."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from moonq import drivers
from moonq.drivers.pace import FAST
from moonq.testing.world import places


def test_handlers_queues_stores_clock_and_logs_are_new_for_each_test(shop: Any) -> None:
    claim = """
  it("{name}", function()
    local orders = test.queue("app:orders")
    eq({{ orders:len(), test.queue("app:emails"):len(), #test.logs() }}, {{ 0, 0, 0 }})
    test.is_nil(require("store").open("app:values"):get("orders"))
    eq(test.clock.now(), 1767225600)
    local id = orders:publish({{ id = 1, cents = 5 }})
    eq(orders:drain():result(id), {{ charged = 5, seen = 1 }})
    test.clock.advance("1h")
  end)"""
    shop.tests(claim.format(name="first") + claim.format(name="second"))
    assert shop.status() == {"first": "passed", "second": "passed"}


def test_stubs_reach_handlers_and_end_with_their_test(shop: Any) -> None:
    shop.tests("""\
local bank = require("bank")
it("is stubbed in handlers and here", function()
  local stub = test.stub("bank", "charge", function() return nil, "bank is shut" end)
  local orders = test.queue("app:orders")
  orders:publish({ id = 1, cents = 5 })
  test.nacked(orders:step(), 1)
  test.contains(orders:delayed()[1].error:message(), "bank is shut")
  eq(stub.calls, { { 5 } })
  eq({ bank.charge(1) }, { nil, "bank is shut" })
end)
it("is itself again", function()
  eq(bank.charge(7), 7)
  local orders = test.queue("app:orders")
  orders:publish({ id = 1, cents = 5 })
  test.acked(orders:drain(), 1)
end)
it("is stubbed in a state that is open already", function()
  local orders = test.queue("app:orders")
  orders:publish({ id = 1, cents = 5 })
  orders:drain()
  test.mock("app:bank.charge", function() error("too late", 0) end)
  orders:publish({ id = 2, cents = 5 })
  test.nacked(orders:step(), 1)
end)
""")
    assert set(shop.status().values()) == {"passed"}


def test_what_a_handler_calls_ends_with_the_time_of_the_handler(shop: Any) -> None:
    index = (shop.folder / "_index.yaml").read_text()
    shop.write(
        "_index.yaml",
        index.replace("func: process}", "func: process, timeout: 2s}").replace(
            "modules: [logger,", "modules: [funcs, logger,"
        )
        + """\
  - {name: above, kind: function.lua, source: file://above.lua, modules: [funcs]}
  - {name: slow, kind: function.lua, source: file://slow.lua, modules: [queue, time]}
""",
    )
    shop.write("process.lua", "return function(name) return require('funcs').call(name) end")
    shop.write("above.lua", "return function() return require('funcs').call('app:slow') end")
    shop.write(
        "slow.lua",
        "local queue, time = require('queue'), require('time')\n"
        "return function() time.sleep('3s') queue.publish('app:emails', 1) end",
    )
    shop.tests("""\
for _, name in ipairs({ "app:slow", "app:above" }) do
  it(name, function()
    local orders = test.queue("app:orders")
    orders:publish(name)
    test.nacked(orders:step(), 1)
    test.error_kind(orders:delayed()[1].error, "TIMEOUT")
    eq(test.queue("app:emails"):len(), 0)
    eq(test.clock.now(), 1767225602)
  end)
end
""")
    assert shop.status() == {"app:slow": "passed", "app:above": "passed"}


def test_a_call_may_do_what_the_consumer_of_the_function_may(shop: Any) -> None:
    index = (shop.folder / "_index.yaml").read_text()
    shop.write(
        "_index.yaml",
        index.replace("func: process}", "func: process, lifecycle: {security: {policies: [all]}}}")
        + """\
  - name: all
    kind: security.policy
    policy: {actions: ["store.*"], resources: ["*"], effect: allow}
""",
    )
    shop.write(
        "process.lua",
        "local queue = require('queue')\n"
        "return function() return queue.message():queue(), queue.publish('app:emails', 1) end",
    )
    shop.tests("""\
it("is refused", function()
  local orders = test.queue("app:orders")
  orders:publish({})
  eq(orders:drain().published, {})
  local served, id, err = test.call("app:process", {})
  eq({ served, id }, { "app:orders" })
  test.error_kind(err, "PERMISSION_DENIED")
end)
""")
    assert shop.status() == {"is refused": "passed"}


def test_errors_keep_their_kind_on_the_way_from_stub_to_handler(shop: Any) -> None:
    shop.tests("""\
it("passes", function()
  test.stub("bank", "charge", function()
    return nil, errors.new({ kind = "CONFLICT", message = "taken", retryable = false })
  end)
  local orders = test.queue("app:orders")
  local id = orders:publish({ id = 1, cents = 5 })
  test.dead(orders:drain(), id)
  test.error_kind(orders:dead()[1].error, "CONFLICT")
end)
""")
    assert shop.status() == {"passes": "passed"}


def test_spies_watch_and_let_the_function_work_where_it_is(shop: Any) -> None:
    shop.tests("""\
it("passes", function()
  local spy = test.spy("bank", "charge")
  local info = test.spy("logger", "info")
  local orders = test.queue("app:orders")
  local id = orders:publish({ id = 3, cents = 5 })
  eq(orders:drain():result(id).charged, 5)
  eq(spy.calls, { { 5 } })
  eq(info.calls, { { "processing", { order = 3 } } })
  test.logged("info", "processing")
end)
""")
    assert shop.status() == {"passes": "passed"}


def test_an_assertion_inside_a_stub_fails_the_test_at_its_own_line(shop: Any) -> None:
    shop.tests("""\
it("fails", function()
  test.stub("bank", "charge", function(cents)
    eq(cents, 7)
  end)
  local orders = test.queue("app:orders")
  orders:publish({ id = 1, cents = 5 })
  orders:step()
end)
""")
    (result,) = shop.results()
    assert result["problem"]["message"] == "expected 7, got 5"
    assert result["problem"]["line"] == 6


def test_time_limits_of_handlers_are_virtual(shop: Any) -> None:
    shop.tests("""\
it("is stopped after its minute", function()
  local orders = test.queue("app:orders")
  local id = orders:publish({ id = 1, cents = 5, sleep = "2m" })
  local run = orders:step()
  test.nacked(run, id)
  test.error_kind(orders:delayed()[1].error, errors.TIMEOUT)
  eq(test.clock.now() - 1767225600, 60)
end)
it("is not stopped before", function()
  local orders = test.queue("app:orders")
  orders:publish({ id = 1, cents = 5, sleep = "59s" })
  test.acked(orders:drain(), 1)
end)
""")
    assert set(shop.status().values()) == {"passed"}


def test_a_loop_that_never_idles_is_stopped_with_words(shop: Any) -> None:
    shop.write(
        "process.lua",
        'local queue = require("queue")\n'
        'return function(order) queue.publish("app:orders", order) end\n',
    )
    shop.write(
        "_index.yaml",
        """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: process}
  - {name: process, kind: function.lua, source: file://process.lua, modules: [queue]}
""",
    )
    shop.tests("""\
it("loops", function()
  test.queue("orders"):publish({})
  test.queue("orders"):drain({ max = 50 })
end)
""")
    (result,) = shop.results()
    assert result["problem"]["code"] == "T705"
    assert result["problem"]["message"] == (
        "app:orders is not idle after 50 deliveries; is a handler publishing to its own queue?"
    )


def test_drain_can_stop_after_a_while_of_virtual_time(shop: Any) -> None:
    shop.tests("""\
it("passes", function()
  test.stub("bank", "charge", function() return nil, "shut" end)
  local orders = test.queue("orders")
  local id = orders:publish({ id = 1 })
  eq(orders:drain({ within = "1s" }):attempts(id), { "0s", "1s" })
  eq(test.clock.now() - 1767225600, 1)
  eq(orders:drain():attempts(id), { "2s" })
end)
""")
    assert shop.status() == {"passes": "passed"}


def test_a_handler_that_does_not_load_is_told_to_the_test(shop: Any) -> None:
    shop.write("process.lua", 'error("no ground")\nreturn print\n')
    shop.tests("""\
it("fails", function()
  test.queue("orders"):publish({})
  test.queue("orders"):drain()
end)
""")
    (result,) = shop.results()
    assert "app:process does not load" in result["problem"]["message"]
    assert "no ground" in result["problem"]["message"]
    assert result["problem"]["line"] == 6


def test_what_a_test_cannot_arrange_is_said_at_its_line(shop: Any) -> None:
    shop.tests("""\
it("no such queue", function() test.queue("app:ordres") end)
it("no consumer", function() test.queue("emails"):drain() end)
it("no such option", function() test.queue("orders"):drain({ mx = 1 }) end)
it("no such message", function() test.duplicate("nobody") end)
it("no such function", function() test.stub("bank", "chrge") end)
it("no such entry", function() test.call("app:proces") end)
it("no number of steps", function() test.queue("orders"):step(0) end)
it("no body", function() test.queue("orders"):publish({ cb = print }) end)
it("no module to allow", function() test.allow("htp") end)
""")
    said = {one["name"]: one["problem"] for one in shop.results()}
    for line, (name, words) in enumerate(
        {
            "no such queue": "did you mean `app:orders`?",
            "no consumer": "no consumer serves app:emails",
            "no such option": "unknown option 'mx', did you mean 'max'?",
            "no such message": "no message 'nobody' was published in this test",
            "no such function": "no function 'chrge' in the module 'bank'",
            "no such entry": "did you mean `app:process`?",
            "no number of steps": "a whole number above 0 expected, got 0",
            "no body": "body.cb is a function",
            "no module to allow": "there is no module 'htp'",
        }.items(),
        4,
    ):
        assert words in said[name]["message"], said[name]
        assert said[name]["line"] == line


def test_the_declared_drivers_are_tried_at_places_of_their_own(shop: Any) -> None:
    """In virtual time where they go by the given clock, with all that a stand-in can."""
    index = (shop.folder / "_index.yaml").read_text(encoding="utf-8")
    shop.write("_index.yaml", index.replace("queue.driver.memory", "queue.driver.sqlite"))
    shop.tests("""\
it("retries", function()
  test.stub("bank", "charge", function() return nil, "shut" end)
  local orders = test.queue("orders")
  local id = orders:publish({ id = 1, cents = 5 })
  local run = orders:drain()
  test.nacked(run, 3)
  eq(orders:dead()[1].id, id)
  eq(#run:attempts(id), 3)
end)
it("begins with empty queues", function()
  local orders = test.queue("orders")
  eq({ orders:len(), orders:dead() }, { 0, {} })
end)
it("has a broker that is away", function()
  test.broker_down("1s")
  test.fails("the broker is down", test.queue("orders").publish, test.queue("orders"), 1)
end)
it("delivers twice", function()
  test.stub("bank", "charge", function() return true end)
  local orders = test.queue("orders")
  local id = orders:publish({ id = 1, cents = 5 })
  orders:drain()
  test.duplicate(id)
  eq(orders:drain().acked, { id })
end)
it("lets a year pass", function()
  local orders, before = test.queue("orders"), test.clock.now()
  orders:publish({ id = 1, cents = 5 }, nil, { delay = "365d" })
  eq(#orders:delayed(), 1)
  test.clock.advance("365d")
  test.near(test.clock.now() - before, 365 * 86400, 0.001)
  eq(#orders:drain().acked + #orders:dead(), 1)
end)
it("knows its driver", function()
  eq(test.driver().kind, "queue.driver.sqlite")
  eq({ test.driver("orders"):can("priority") }, { true })
end)
""")
    results = shop.results("--driver", "declared", "--timeout", "20s")
    assert [one["status"] for one in results] == ["passed"] * 6, results
    left = [path for path in shop.folder.rglob("*.db*") if path.is_file()]
    assert left == []


def test_a_driver_with_a_clock_of_its_own_lets_real_time_pass(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five times as fast, and never for longer than the test may take."""
    fast = replace(drivers.descriptor("queue.driver.memory"), pace=FAST)
    monkeypatch.setattr(places, "descriptor", lambda _kind: fast)
    shop.tests("""\
it("waits for a retry", function()
  test.stub("bank", "charge", function() return nil, "shut" end)
  local orders = test.queue("orders")
  orders:publish({ id = 1, cents = 5 })
  test.nacked(orders:drain(), 3)
  eq(#orders:dead(), 1)
end)
it("waits for no hour", function()
  test.fails("1h take 12m on the declared drivers", test.clock.advance, "1h")
end)
""")
    began = time.monotonic()
    results = shop.results("--driver", "declared", "--timeout", "20s")
    assert time.monotonic() - began > 0.6
    assert [one["status"] for one in results] == ["passed", "passed"], results


def test_a_question_about_drivers_names_one(shop: Any) -> None:
    shop.tests("""\
it("misspelt", function() local _ = test.driver():can("prioritiy") end)
it("stand-in", function() eq(test.driver().kind, "queue.driver.memory") end)
it("reason", function()
  local can, why = test.driver():can("durable")
  eq({ can, why }, { false, "it keeps messages in this process only" })
end)
""")
    misspelt, stand_in, reason = shop.results()
    assert "unknown ability 'prioritiy'" in misspelt["problem"]["message"]
    assert "did you mean 'priority'" in misspelt["problem"]["message"]
    assert [stand_in["status"], reason["status"]] == ["passed", "passed"]


PIPELINE = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: other, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem}
  - {name: mails, kind: queue.queue, driver: other, retry: {max_attempts: 2, initial_delay: 5s}}
  - {name: unserved, kind: queue.queue, driver: mem}
  - {name: orders.consumer, kind: queue.consumer, queue: orders, func: order}
  - {name: mails.consumer, kind: queue.consumer, queue: mails, func: mail}
  - {name: order, kind: function.lua, source: file://order.lua, modules: [queue]}
  - {name: mail, kind: function.lua, source: file://mail.lua, modules: [queue]}
"""


def test_drain_runs_the_whole_pipeline_through_virtual_time(shop: Any) -> None:
    shop.write("_index.yaml", PIPELINE)
    shop.write(
        "order.lua",
        """\
local queue = require("queue")
return function(order)
  queue.publish("app:mails", { order = order.id }, nil, { delay = "1h" })
  queue.publish("app:unserved", 1, nil, { delay = "9h" })
end
""",
    )
    shop.write(
        "mail.lua",
        """\
local queue = require("queue")
return function(mail)
  if queue.message():attempt() == 1 or mail.order == 2 then
    return nil, "no server"
  elseif mail.order == 3 then
    queue.publish("app:orders", { id = 4 })
  end
end
""",
    )
    shop.tests("""\
it("runs", function()
  local orders, mails = test.queue("orders"), test.queue("mails")
  for id = 1, 3 do
    orders:publish({ id = id })
  end
  local run = test.drain()
  eq({ orders:len(), mails:len(), #mails:dead(), test.queue("unserved"):len() }, { 0, 0, 1, 4 })
  eq({ #run.acked, #run.nacked, #run.dead, run.deliveries }, { 7, 5, 1, 12 })
  local passed = test.clock.now() - 1767225600
  test.gt(passed, 7200)
  test.lt(passed, 7300)
  test.published(run, "app:mails", { order = 4 })
  eq(test.drain().deliveries, 0)
end)
it("stops after a while", function()
  test.queue("orders"):publish({ id = 1 })
  eq(test.drain({ within = "30m" }).deliveries, 1)
  eq(test.clock.now() - 1767225600, 1800)
  eq(#test.drain({ within = "31m" }).acked, 1)
end)
it("ends a circle", function()
  local orders = test.queue("orders")
  for _ = 1, 20 do
    orders:publish({ id = 1 })
  end
  test.fails("app:mails, app:orders are not idle after 10 deliveries", test.drain, { max = 10 })
end)
it("refuses nonsense", function()
  test.fails("test.drain: unknown option 'most'", test.drain, { most = 1 })
end)
""")
    assert set(shop.status().values()) == {"passed"}


def test_drain_needs_a_consumer(shop: Any) -> None:
    shop.write("_index.yaml", "namespace: app\nentries: []\n")
    shop.tests('it("x", function() test.drain() end)')
    (result,) = shop.results()
    assert (
        "no consumer is declared here, so there is nothing to run" in result["problem"]["message"]
    )
