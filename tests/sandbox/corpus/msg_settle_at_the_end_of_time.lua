-- expect: contained-time: acks from inside a loop that never ends
local queue = require("queue")

return function()
  local msg = queue.message()
  while true do
    pcall(msg.ack, msg)
  end
end
