-- expect: contained-time: the same, closed by coroutine.close
local endless = {
  __close = function()
    while true do
    end
  end,
}

return function()
  coroutine.wrap(function()
    while true do
      local co = coroutine.create(function()
        local a <close> = setmetatable({}, endless)
        while a do
        end
      end)
      coroutine.resume(co)
      coroutine.close(co)
    end
  end)()
end
