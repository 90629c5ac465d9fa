-- expect: harmless: a batch that is no list, that lies about its length, that is full of holes
local queue = require("queue")

return function()
  pcall(
    queue.publish_batch,
    "app:q",
    setmetatable({}, {
      __len = function()
        return 3
      end,
    })
  )
  pcall(queue.publish_batch, "app:q", { [1] = { body = 1 }, [3] = { body = 2 } })
  pcall(queue.publish_batch, "app:q", { 1, "x", print, { body = print }, {} })
  pcall(queue.publish_batch, "app:q", { { body = 1, headers = "x", options = 7 } })
end
