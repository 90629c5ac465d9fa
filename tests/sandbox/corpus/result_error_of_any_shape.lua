-- expect: harmless (fails): nil and whatever
return function()
  return nil, setmetatable({}, { __index = error, __metatable = "error" })
end
