-- expect: denied: methods of a message work on messages only
local queue = require("queue")

return function()
  local msg = queue.message()
  for _, fake in ipairs({
    {},
    "m-1",
    1,
    print,
    setmetatable({}, { __index = msg }),
    errors.new("x"),
  }) do
    for _, method in ipairs({ "id", "ack", "retry", "headers" }) do
      local ok, value = pcall(msg[method], fake)
      if ok and value then
        error("reached the message by a fake")
      end
    end
  end
  return nil, "denied"
end
