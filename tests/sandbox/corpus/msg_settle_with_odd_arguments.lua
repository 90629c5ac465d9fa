-- expect: harmless: delays and reasons of any kind
local queue = require("queue")

return function()
  local msg = queue.message()
  for _, value in ipairs({ -1, 0 / 0, math.huge, "soon", {}, print, ("x"):rep(1000000), true }) do
    pcall(msg.retry, msg, { delay = value })
    pcall(msg.snooze, msg, { delay = value })
    pcall(msg.snooze, msg, value)
  end
  pcall(msg.reject, msg, setmetatable({}, { __tostring = error }))
end
