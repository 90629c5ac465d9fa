-- expect: contained-time: coroutines too short for their hook to count to its end
return function()
  coroutine.wrap(function()
    while true do
      coroutine.wrap(function() end)()
    end
  end)()
end
