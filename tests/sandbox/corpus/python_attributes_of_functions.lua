-- expect: denied: a function of the host has no attributes
local time = require("time")

return function()
  for _, key in ipairs({ "__globals__", "__self__", "__class__", "__code__" }) do
    if pcall(function()
      return time.now[key]
    end) then
      error("reached " .. key)
    end
  end
  return nil, "denied"
end
