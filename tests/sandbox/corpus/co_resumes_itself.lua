-- expect: denied: a coroutine cannot resume itself, nor one that waits for it
return function()
  local outer
  outer = coroutine.create(function()
    local self = coroutine.running()
    assert(not coroutine.resume(self) and not pcall(coroutine.close, self))
    return coroutine.wrap(function()
      return coroutine.resume(outer)
    end)()
  end)
  local ok, resumed = coroutine.resume(outer)
  if not ok or resumed then
    error("reached a running coroutine")
  end
  return nil, "denied"
end
