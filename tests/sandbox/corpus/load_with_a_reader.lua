-- expect: denied: a reader gives text of the same kind and length as a string
return function()
  local function pieces(...)
    local parts = { ... }
    return function()
      return table.remove(parts, 1)
    end
  end
  if load(pieces("\27Lua")) or load(pieces("\27", "LuaT\0")) then
    error("reached a binary chunk")
  end
  local function endless()
    return ("x = 1 "):rep(1000)
  end
  if load(endless) or load(pieces(("x = 1 "):rep(50000))) then
    error("reached a large chunk")
  end
  local many = ("x = a" .. (" and a"):rep(3000))
  if load(many) or load(pieces(many)) then
    error("reached a slow chunk")
  end
  local trace = load(pieces("return (debug.traceback())"), "=[moonq lua/boot.lua]")()
  assert(trace:find("in main chunk", 1, true))
  return nil, "denied"
end
