-- expect: harmless: metamethods in metamethods end with an error
return function()
  local t = setmetatable({}, {
    __index = function(t, k)
      return t[k + 1]
    end,
  })
  assert(not pcall(function()
    return t[1]
  end))
  assert(not pcall(coroutine.wrap(function()
    return t[1]
  end)))
end
