-- expect: harmless: recursion goes as deep as programs need it
local function depth(n)
  if n == 0 then
    return 0
  end
  return 1 + depth(n - 1)
end

return function()
  assert(depth(15000) == 15000)
  assert(coroutine.wrap(depth)(2000) == 2000)
  assert(coroutine.wrap(function()
    return pcall(depth, 3000)
  end)())
end
