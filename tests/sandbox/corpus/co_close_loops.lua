-- expect: contained-time: closing a coroutine runs code that never ends
return function()
  local co = coroutine.create(function()
    local _ <close> = setmetatable({}, {
      __close = function()
        while true do
        end
      end,
    })
    coroutine.yield()
  end)
  coroutine.resume(co)
  coroutine.close(co)
end
