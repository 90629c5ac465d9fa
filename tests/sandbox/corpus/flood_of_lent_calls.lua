-- expect: contained-time: the clock, asked without an end, in a coroutine
local time = require("time")

return function()
  coroutine.wrap(function()
    while true do
      pcall(time.now)
    end
  end)()
end
