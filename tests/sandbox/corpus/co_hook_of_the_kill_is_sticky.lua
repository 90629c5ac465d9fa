-- expect: contained-time: a hundred pcalls in a coroutine, and after the kill the next hundred
return function()
  coroutine.wrap(function()
    local function nest(n)
      if n > 0 then
        pcall(nest, n - 1)
      end
      while true do
      end
    end
    while true do
      pcall(nest, 90)
    end
  end)()
end
