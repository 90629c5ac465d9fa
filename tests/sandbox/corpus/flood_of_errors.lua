-- expect: contained-time: error values with tracebacks, from deep inside
local errors = require("errors")

local function deep(n)
  if n > 0 then
    deep(n - 1)
  end
  while true do
    errors.wrap(errors.new("x"), "y")
  end
end

return function()
  deep(10000)
end
