-- expect: harmless: coroutines in coroutines end with an error
return function()
  local function nest(n)
    return coroutine.wrap(nest)(n + 1)
  end
  assert(not pcall(nest, 1))
end
