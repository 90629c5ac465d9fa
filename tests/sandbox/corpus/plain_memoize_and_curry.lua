-- expect: harmless: functional programming
return function()
  local function memoize(f)
    local cache = {}
    return function(n)
      cache[n] = cache[n] or f(n)
      return cache[n]
    end
  end
  local fib
  fib = memoize(function(n)
    return n < 2 and n or fib(n - 1) + fib(n - 2)
  end)
  assert(fib(80) == 23416728348467685)
  local function curry(f, a)
    return function(...)
      return f(a, ...)
    end
  end
  assert(curry(math.max, 5)(3, 9) == 9)
end
