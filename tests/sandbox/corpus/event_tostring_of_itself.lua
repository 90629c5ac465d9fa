-- expect: harmless: tostring as its own __tostring ends at the C stack
return function()
  local t = setmetatable({}, { __tostring = tostring })
  assert(not pcall(tostring, t))
  assert(not pcall(coroutine.wrap(tostring), t))
end
