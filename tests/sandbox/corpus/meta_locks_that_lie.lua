-- expect: denied: a lock that says what the host's say makes no object of the host's
local errors, json, queue = require("errors"), require("json"), require("queue")

return function()
  local msg = queue.message()
  for _, real in ipairs({ errors.new("x"), msg, json.null, string }) do
    local lie = setmetatable({}, { __metatable = getmetatable(real), __index = real })
    if
      pcall(errors.new("x").kind, lie)
      or pcall(msg.id, lie)
      or not pcall(rawset, lie, "x", 1)
      or errors.from(lie) == lie
      or json.encode(lie) ~= '{"x":1}'
    then
      error("reached the host by a lie")
    end
  end
  return nil, "denied"
end
