-- expect: contained-time: criteria, headers and options of megabytes
local queue, registry = require("queue"), require("registry")

return function()
  local meta, list = {}, {}
  for index = 1, 8000 do
    meta["key" .. index], list[index] = index, { index }
  end
  while true do
    pcall(registry.find, { meta = meta })
    pcall(registry.find, { meta = list })
    pcall(queue.publish, "app:q", list, meta)
    pcall(queue.publish, "app:q", 1, meta, { group = ("g"):rep(5000000) })
    pcall(queue.publish_batch, "app:q", { { body = list, headers = meta }, { body = meta } })
  end
end
