-- expect: contained-time: coroutines as garbage, half of them in the middle of something
return function()
  while true do
    local co = coroutine.wrap(function()
      pcall(coroutine.yield)
    end)
    co()
  end
end
