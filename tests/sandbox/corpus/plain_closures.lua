-- expect: harmless: closures keep what they close over
return function()
  local function counter()
    local n = 0
    return function()
      n = n + 1
      return n
    end
  end
  local a, b = counter(), counter()
  assert(a() == 1 and a() == 2 and b() == 1)
end
