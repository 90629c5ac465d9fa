-- expect: contained-time: the same, inside a coroutine, with as few instructions as can be
return function()
  coroutine.wrap(function()
    local turn = coroutine.wrap(function()
      while true do
        coroutine.yield()
      end
    end)
    while true do
      turn()
    end
  end)()
end
