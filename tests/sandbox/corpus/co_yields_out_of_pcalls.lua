-- expect: contained-time: yields that leave pcalls open, by the thousand
return function()
  local function hold(n)
    if n > 0 then
      pcall(hold, n - 1)
    end
    coroutine.yield()
  end
  coroutine.wrap(function()
    while true do
      local co = coroutine.wrap(hold)
      co(50)
      co()
    end
  end)()
end
