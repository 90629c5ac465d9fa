-- expect: denied: a message of yesterday answers that it is released
local queue = require("queue")
local METHODS = { "id", "body", "attempt", "ack", "nack", "retry", "reject", "header" }
local kept

return function(body)
  if body == 1 then
    kept = queue.message()
    assert(kept:id() == "m-1")
    return true
  end
  for _, method in ipairs(METHODS) do
    local value, err = kept[method](kept, "x")
    if value or err:kind() ~= "INVALID" then
      error("reached a message by " .. method)
    end
  end
  return nil, "denied"
end
