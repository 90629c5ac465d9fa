-- expect: contained-time: names of megabytes wherever the host takes a name
local env, funcs, queue = require("env"), require("funcs"), require("queue")
local registry, store = require("registry"), require("store")
local values = store.open("app:values")

return function()
  local name = ("é"):rep(3000000)
  while true do
    pcall(env.get, name)
    pcall(funcs.call, name)
    pcall(queue.publish, name, 1)
    pcall(queue.publish_batch, name, { { body = 1 } })
    pcall(queue.info, name)
    pcall(registry.get, name)
    pcall(store.open, name)
    pcall(values.get, values, name)
    pcall(values.set, values, name, 1)
    pcall(values.incr, values, name)
    pcall(values.keys, values, name)
    pcall(values.delete, values, name)
  end
end
