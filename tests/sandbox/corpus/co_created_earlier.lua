-- expect: contained-time: made in one message, resumed in the next
local co

return function(body)
  if body == 1 then
    co = coroutine.create(function()
      coroutine.yield()
      while true do
      end
    end)
    assert(coroutine.resume(co))
  else
    coroutine.resume(co)
  end
end
