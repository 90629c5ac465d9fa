-- expect: contained-time: names of megabytes that are no UTF-8
local env, funcs, queue = require("env"), require("funcs"), require("queue")
local registry, store = require("registry"), require("store")
local values = store.open("app:values")

return function()
  local name = ("\xff"):rep(6000000)
  while true do
    pcall(env.get, name)
    pcall(funcs.call, name)
    pcall(queue.publish, name, 1)
    pcall(queue.info, name)
    pcall(registry.get, name)
    pcall(store.open, name)
    pcall(values.get, values, name)
    pcall(values.incr, values, name)
  end
end
