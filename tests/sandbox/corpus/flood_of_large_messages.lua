-- expect: contained-time: publishing megabytes without an end
local queue = require("queue")
local body = ("x"):rep(1000000)

return function()
  while true do
    queue.publish("app:q", body)
    queue.publish_batch("app:q", { { body = body }, { body = body } })
  end
end
