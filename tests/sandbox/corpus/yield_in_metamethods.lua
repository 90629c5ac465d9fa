-- expect: harmless: a metamethod may yield, as in stock Lua
return function()
  local odd = setmetatable({}, { __index = coroutine.yield, __add = coroutine.yield })
  local co = coroutine.wrap(function()
    return odd.x, odd + 1
  end)
  local first, key = co()
  assert(first == odd and key == "x")
  co("a")
  local a, b = co("b")
  assert(a == "a" and b == "b")
end
