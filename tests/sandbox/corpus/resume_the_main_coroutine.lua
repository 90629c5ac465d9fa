-- expect: denied: the coroutine of the host is running, and that is all one can know
return function()
  local main = coroutine.running()
  local co = coroutine.wrap(function()
    assert(coroutine.status(main) == "normal")
    return coroutine.resume(main), pcall(coroutine.close, main)
  end)
  local resumed, closed = co()
  if resumed or closed or coroutine.resume(main) or pcall(coroutine.close, main) then
    error("reached the main coroutine")
  end
  return nil, "denied"
end
