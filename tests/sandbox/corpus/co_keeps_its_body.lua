-- expect: harmless: a coroutine kept over messages goes on where it was
local co = coroutine.wrap(function()
  local n = 0
  while true do
    n = n + 1
    coroutine.yield(n)
  end
end)

return function(body)
  assert(co() == body)
end
