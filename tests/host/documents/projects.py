"""The projects that the cases are about: their entries, and their Lua files by name."""

from __future__ import annotations

from ..conftest import HEAD

#: One entry of every kind at least; what lies in `orders` and `notes` outlives the host.
SHOP = """
  - {name: file, kind: queue.driver.sqlite, durability: normal, ballast_mb: 0}
  - name: orders
    kind: queue.queue
    driver: file
    meta: {team: shop}
    retry: {max_attempts: 1}
    options: {max_length: 1000, ttl: 1d}
  - name: orders.consumer
    kind: queue.consumer
    queue: orders
    func: process
    lifecycle: {security: {policies: [may_everything]}}
  - name: process
    kind: function.lua
    source: file://process.lua
    modules: [logger, queue]
    imports: [sums]
    limits: {timeout: 5s}
  - {name: notes, kind: queue.queue, driver: file}
  - {name: emails, kind: queue.queue, driver: memory, dead_letter: none}
  - {name: blobs, kind: queue.queue, driver: memory, codec: raw}
  - {name: sums, kind: library.lua, source: file://sums.lua}
  - {name: cache, kind: store.memory}
  - {name: region, kind: env.variable, variable: SHOP_REGION, default: eu}
  - {name: prices, kind: registry.entry, meta: {team: shop}, vat: 0.19, cities: [Ulm, Aachen]}
  - name: may_everything
    kind: security.policy
    policy:
      actions: ["*"]
      resources: ["*"]
      effect: allow
      conditions: [{field: actor.id, operator: exists}]
    groups: [staff]
"""
INDEX = HEAD + SHOP
#: Lua keeps no order of keys, so what it says to others has one key at a time.
PROCESS = """\
local logger = require("logger")
local queue = require("queue")
local sums = require("sums")

local function charge(order)
  if order.total < 0 then
    error("negative total of order " .. order.id)
  end
  return sums.add(order.total, 1)
end

return function(order)
  logger.info("processing", { order = order.id })
  if order.bank == "down" then
    return nil, errors.new({ message = "bank is down", kind = errors.TIMEOUT, retryable = true })
  end
  local total = charge(order)
  queue.publish("app:emails", { order = order.id }, { source = "shop" })
  return { charged = total }
end
"""
SHOP_FILES = {
    "process": PROCESS,
    "sums": "return { add = function(a, b) return a + b end }\n",
}

#: Every message publishes the next of its kind, so that whoever comes late sees one too.
WHEEL = """
  - name: wheel
    kind: queue.queue
    driver: memory
    retry: {max_attempts: 2, initial_delay: 100ms, jitter: 0}
  - {name: turner, kind: queue.consumer, queue: wheel, func: turn}
  - {name: turn, kind: function.lua, source: file://turn.lua, modules: [logger, queue]}
  - name: narrow
    kind: queue.queue
    driver: memory
    options: {max_length: 1, overflow: drop_oldest}
"""
TURN = """\
local logger = require("logger")
local queue = require("queue")

return function(body)
  if body.kind == "luck" then
    if queue.message():attempt() == 1 then
      queue.publish("app:wheel", body, nil, { delay = "250ms" })
    end
    error("no " .. body.kind)
  end
  logger.warn("turning", { kind = body.kind })
  queue.publish("app:wheel", body, nil, { delay = "20ms" })
  queue.publish("app:narrow", body)
end
"""
WHEEL_FILES = {"turn": TURN}

#: The handler never ends, so neither does a host that lets it finish.
SPIN = """
  - {name: jobs, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: jobs, func: spin}
  - {name: spin, kind: function.lua, source: file://spin.lua}
"""
SPIN_FILES = {"spin": "return function() while true do end end\n"}
