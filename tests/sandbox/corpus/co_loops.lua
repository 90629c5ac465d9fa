-- expect: contained-time: a coroutine that never ends
return function()
  coroutine.wrap(function()
    while true do
    end
  end)()
end
