-- expect: contained-memory: to the last byte, then every lent function there is
local hoard = {}
local env, funcs, logger = require("env"), require("funcs"), require("logger")
local queue, registry, store = require("queue"), require("registry"), require("store")
local time, uuid = require("time"), require("uuid")
local values = store.open("app:values")
local CALLS = {
  { logger.info, "x" },
  { queue.publish, "app:q", { 1 } },
  { queue.publish_batch, "app:q", { { body = 1 } } },
  { queue.info, "app:q" },
  { queue.stopping },
  { values.set, values, "key", "value" },
  { values.get, values, "key" },
  { values.keys, values },
  { values.incr, values, "n" },
  { funcs.call, "app:f", 1 },
  { env.get, "REGION" },
  { env.names },
  { registry.get, "app:x" },
  { registry.find },
  { time.now },
  { time.sleep, 0 },
  { uuid.v4 },
  { print, "x" },
}

local function fill(size)
  while true do
    hoard[#hoard + 1] = ("x"):rep(size) .. #hoard
  end
end

return function()
  local msg = queue.message()
  for _, size in ipairs({ 100000, 1000, 10, 0 }) do
    pcall(fill, size)
  end
  for _, call in ipairs(CALLS) do
    pcall(table.unpack(call))
  end
  pcall(msg.id, msg)
  pcall(msg.ack, msg)
  error(hoard)
end
