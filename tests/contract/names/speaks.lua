local env, funcs, queue = require("env"), require("funcs"), require("queue")
local registry, store = require("registry"), require("store")

local speaks = {}

--- What bare names mean to this file; the queue tells by what comes into it.
function speaks.all()
  queue.publish("twin", "one")
  queue.publish_batch("twin", { { body = "two" } })
  local box = store.open("box")
  box:set("key", 1)
  return {
    call = funcs.call("who"),
    entry = registry.get("who").id,
    variable = env.get("place"),
    ready = queue.info("twin").ready,
    stored = box:get("key"),
  }
end

--- What a function of another file answers, called from this one.
function speaks.ask(call)
  return call("who")
end

local ASKED = {
  call = funcs.call,
  entry = registry.get,
  info = queue.info,
  publish = queue.publish,
  store = function(name)
    return store.open(name):get("key")
  end,
  variable = env.get,
}
local NAMES = { call = "who", entry = "who", info = "twin", publish = "twin", store = "box" }

--- How each of them is refused, by its bare name and by its full id; a variable also by its own.
function speaks.refusals()
  local kinds = {}
  for what, ask in pairs(ASKED) do
    local name = NAMES[what] or "place"
    local _, bare = ask(name, "")
    local _, full = ask("contract.here:" .. name, "")
    kinds[what] = { bare and bare:kind(), full and full:kind() }
  end
  local _, own = env.get("MOONQ_TEST_PLACE")
  kinds.own = { own and own:kind() }
  return kinds
end

return speaks
