-- expect: harmless: a handler that yields, inside a coroutine
return function()
  local co = coroutine.wrap(function()
    return xpcall(error, coroutine.yield, "out")
  end)
  assert(co() == "out")
  local ok, said = co("back")
  assert(not ok and said == "back")
end
