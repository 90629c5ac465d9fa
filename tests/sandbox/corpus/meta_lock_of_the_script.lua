-- expect: harmless: __metatable locks for scripts as it does in stock Lua
return function()
  local locked = setmetatable({}, { __metatable = "mine" })
  assert(getmetatable(locked) == "mine")
  assert(not pcall(setmetatable, locked, {}))
  local hidden = setmetatable({}, { __metatable = false })
  assert(getmetatable(hidden) == false and not pcall(setmetatable, hidden, nil))
end
