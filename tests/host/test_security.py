"""What `lifecycle.security` of a consumer allows its handler."""

from __future__ import annotations

import json

import pytest

from .conftest import MakeHost, until

ENTRIES = """
  - {name: tasks, kind: queue.queue, driver: memory}
  - {name: mail, kind: queue.queue, driver: memory}
  - {name: payments, kind: queue.queue, driver: memory}
  - {name: notes, kind: store.memory}
  - {name: said, kind: queue.queue, driver: memory}
  - name: may_mail
    kind: security.policy
    policy: {actions: ["queue.publish*"], resources: ["app:mail", "app:said"], effect: allow}
    groups: [post]
  - name: may_everything
    kind: security.policy
    policy: {actions: ["*"], resources: ["*"], effect: allow}
    groups: [boss]
  - name: never_payments
    kind: security.policy
    policy: {actions: ["queue.*"], resources: ["app:payments"], effect: deny}
    groups: [boss]
  - name: auditors_look
    kind: security.policy
    policy:
      actions: ["queue.info"]
      resources: ["*"]
      effect: allow
      conditions: [{field: actor.meta.role, operator: in, value: [auditor, boss]}]
    groups: [post]
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: handler
    lifecycle:
      security: SECURITY
  - name: handler
    kind: function.lua
    source: file://handler.lua
    modules: [queue, store, funcs]
"""
HANDLER = """
local queue, store = require("queue"), require("store")

local function kind(value, err)
  return err and err:kind() or "ok"
end

local function note()
  local notes, refused = store.open("app:notes")
  if not notes then
    return nil, refused
  end
  return notes:set("a", 1)
end

return function()
  queue.publish("app:said", {
    mail = kind(queue.publish("app:mail", 1)),
    payments = kind(queue.publish("app:payments", 1)),
    info = kind(queue.info("app:mail")),
    store = kind(note()),
  })
end
"""
NO, YES = "PERMISSION_DENIED", "ok"
CASES = [
    ("{}", {"mail": YES, "payments": YES, "info": YES, "store": YES}),
    (
        "{actor: {id: clerk}, groups: [post]}",
        {"mail": YES, "payments": NO, "info": NO, "store": NO},
    ),
    (
        "{actor: {id: clerk, meta: {role: auditor}}, groups: [post]}",
        {"mail": YES, "payments": NO, "info": YES, "store": NO},
    ),
    (
        "{actor: {id: chief}, groups: [boss]}",
        {"mail": YES, "payments": NO, "info": YES, "store": YES},
    ),
    ("{policies: [may_mail]}", {"mail": YES, "payments": NO, "info": NO, "store": NO}),
]


@pytest.mark.parametrize(("security", "expected"), CASES, ids=[case for case, _ in CASES])
def test_a_handler_may_do_what_its_scope_allows(
    make_host: MakeHost, security: str, expected: dict[str, str]
) -> None:
    host = make_host(ENTRIES.replace("SECURITY", security), handler=HANDLER)
    host.queues.publish(b"app:tasks", b"1")
    until(lambda: not host.queues.info("app:tasks").message_count)
    (said,) = host.queues.route("app:said").driver.peek("app:said", 5).items
    assert json.loads(said.message.body) == expected


def test_a_short_name_opens_nothing_that_its_full_id_does_not(make_host: MakeHost) -> None:
    entries = ENTRIES.replace("SECURITY", "{groups: [boss]}").replace(
        "queue, store, funcs", "queue, funcs, registry"
    )
    secret = """
  - {name: secret, kind: function.lua, source: "return function() return 'told' end"}
  - name: never_secret
    kind: security.policy
    policy: {actions: ["*"], resources: ["app:secret"], effect: deny}
    groups: [boss]
"""
    handler = """
    local funcs, queue, registry = require("funcs"), require("queue"), require("registry")
    return function()
      local kinds = {}
      for _, name in ipairs({ "app:secret", "secret" }) do
        for _, ask in ipairs({ funcs.call, registry.get }) do
          local _, err = ask(name)
          kinds[#kinds + 1] = err and err:kind() or "ok"
        end
      end
      queue.publish("app:said", kinds)
    end
    """
    host = make_host(entries + secret, handler=handler)
    host.queues.publish(b"app:tasks", b"1")
    until(lambda: not host.queues.info("app:tasks").message_count)
    (said,) = host.queues.route("app:said").driver.peek("app:said", 5).items
    assert json.loads(said.message.body) == [NO] * 4


def test_a_function_is_called_by_its_short_name_as_well(make_host: MakeHost) -> None:
    host = make_host(
        ENTRIES.replace("SECURITY", "{}"),
        handler="""
    local funcs = require("funcs")
    return function(n) return n == 0 and "end" or funcs.call("handler", n - 1) end
    """,
    )
    assert host.call("app:handler", "2").values == ["end"]


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, object]]]:
    return [
        (one.entry, one.fields)  # type: ignore[attr-defined]
        for one in caplog.records
        if one.name == "moonq.security"
    ]


def test_a_denial_is_logged_with_the_policy_that_decided(
    make_host: MakeHost, caplog: pytest.LogCaptureFixture
) -> None:
    security = "{actor: {id: chief}, groups: [boss], policies: [may_mail]}"
    host = make_host(ENTRIES.replace("SECURITY", security), handler=HANDLER)
    host.queues.publish(b"app:tasks", b"1")
    until(lambda: not host.queues.info("app:tasks").message_count)
    fields = {"actor": "chief", "action": "queue.publish", "resource": "app:payments"}
    assert lines(caplog) == [("app:handler", {**fields, "policy": "app:never_payments"})]
    (line,) = (one for one in caplog.records if one.name == "moonq.security")
    words = "denied: chief may not queue.publish app:payments: app:never_payments denies it"
    assert (line.levelname, line.getMessage()) == ("WARNING", words)


def test_a_denial_is_logged_where_the_module_answers_nil_and_nobody_looks(
    make_host: MakeHost, caplog: pytest.LogCaptureFixture
) -> None:
    entries = ENTRIES.replace("SECURITY", "{actor: {id: clerk}, groups: [post]}")
    entries = entries.replace("queue, store, funcs", "env")
    entries += "  - {name: region, kind: env.variable, variable: SHOP_REGION}\n"
    handler = "return function() return require('env').get('SHOP_REGION', 'eu') == nil end"
    host = make_host(entries, handler=handler)
    host.queues.publish(b"app:tasks", b"1")
    until(lambda: not host.queues.info("app:tasks").message_count)
    fields = {"actor": "clerk", "action": "env.read", "resource": "app:region", "policy": None}
    assert lines(caplog) == [("app:handler", fields)]


def test_a_denial_that_repeats_itself_is_counted_and_cannot_be_flooded_away(
    make_host: MakeHost, caplog: pytest.LogCaptureFixture
) -> None:
    entries = ENTRIES.replace("SECURITY", "{actor: {id: clerk}, groups: [post]}")
    handler = """
    local queue = require("queue")
    return function()
      for _ = 1, 6000 do print("noise") end
      for _ = 1, 500 do queue.publish("payments", 1) end
    end
    """
    host = make_host(entries, handler=handler)
    host.queues.publish(b"app:tasks", b"1")
    until(lambda: not host.queues.info("app:tasks").message_count)
    assert 1 <= len(lines(caplog)) < 20
