-- expect: contained-time: closings that make coroutines with closings
local function make()
  return coroutine.wrap(function()
    local _ <close> = setmetatable({}, {
      __close = function()
        pcall(make())
        make()()
      end,
    })
    error("on")
  end)
end

return function()
  while true do
    pcall(make())
  end
end
