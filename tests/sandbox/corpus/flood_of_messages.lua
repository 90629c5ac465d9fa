-- expect: contained-time: publishing without an end
local queue = require("queue")

return function()
  while true do
    queue.publish("app:q", { n = 1 }, { h = "x" })
  end
end
