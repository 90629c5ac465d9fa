-- expect: contained-time: an error inside a hook leaves hooks off in a dead coroutine
local endless = {
  __close = function()
    while true do
    end
  end,
}
local deep = setmetatable({}, {
  __index = function(self, n)
    for _ = 1, 600 do
      n = n + 0
    end
    return self[n + 1]
  end,
})

return function()
  coroutine.wrap(function()
    while true do
      local co = coroutine.create(function()
        local a <close> = setmetatable({}, endless)
        return deep[a and 1]
      end)
      coroutine.resume(co)
      coroutine.close(co)
      coroutine.resume(co)
      coroutine.close(co)
      pcall(coroutine.wrap(function()
        local a <close> = setmetatable({}, endless)
        return deep[a and 1]
      end))
    end
  end)()
end
