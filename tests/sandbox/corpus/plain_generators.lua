-- expect: harmless: coroutines as generators, with errors and closings
return function()
  local function range(n)
    return coroutine.wrap(function()
      for index = 1, n do
        coroutine.yield(index)
      end
    end)
  end
  local sum = 0
  for n in range(100) do
    sum = sum + n
  end
  assert(sum == 5050)
  local co = coroutine.create(function(a, b)
    local c = coroutine.yield(a + b)
    local d, e = coroutine.yield(c * 2)
    return d + e
  end)
  assert(select(2, coroutine.resume(co, 1, 2)) == 3)
  assert(select(2, coroutine.resume(co, 10)) == 20)
  assert(select(2, coroutine.resume(co, 3, 4)) == 7)
  assert(coroutine.status(co) == "dead")
  assert(select(2, coroutine.resume(co)) == "cannot resume dead coroutine")
end
