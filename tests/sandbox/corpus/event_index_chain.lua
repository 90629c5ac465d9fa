-- expect: harmless: a loop of __index tables is an error
return function()
  local a, b = {}, {}
  setmetatable(a, { __index = b })
  setmetatable(b, { __index = a })
  assert(not pcall(function()
    return a.x
  end))
end
