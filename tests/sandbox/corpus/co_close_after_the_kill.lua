-- expect: contained-time: a coroutine killed by its hook leaves closings to whoever resumed it
local endless = {
  __close = function()
    while true do
    end
  end,
}

return function()
  coroutine.wrap(function()
    while true do
      pcall(coroutine.wrap(function()
        local a <close> = setmetatable({}, endless)
        while a do
        end
      end))
    end
  end)()
end
