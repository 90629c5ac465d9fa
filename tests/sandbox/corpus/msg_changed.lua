-- expect: denied: a message cannot be changed
local queue = require("queue")

return function()
  local msg = queue.message()
  if
    pcall(function()
      msg.id = print
    end)
    or pcall(rawset, msg, "id", print)
    or pcall(setmetatable, msg, {})
  then
    error("reached the message")
  end
  local headers = msg:headers()
  headers.source = "other"
  assert(msg:header("source") == "shop")
  return nil, "denied"
end
