-- expect: denied: nothing shows or changes the upvalues of a function of the host or of a module
local json, errors = require("json"), require("errors")

local function walk(value, seen, visit)
  if type(value) == "function" then
    visit(value)
  elseif type(value) == "table" and not seen[value] then
    seen[value] = true
    for _, item in pairs(value) do
      walk(item, seen, visit)
    end
  end
end

return function()
  local x = 1
  local function own()
    return x
  end
  walk({ _G, json, errors, ("x").rep, getmetatable }, {}, function(f)
    for index = 1, 30 do
      if debug.getupvalue(f, index) or debug.setupvalue(f, index, print) then
        error("reached an upvalue")
      end
      if
        pcall(debug.upvaluejoin, f, index, own, 1) or pcall(debug.upvaluejoin, own, 1, f, index)
      then
        error("reached a joined upvalue")
      end
    end
  end)
  for name in ("upvalueid getlocal setlocal getinfo sethook getregistry"):gmatch("%S+") do
    if debug[name] ~= nil then
      error("reached debug." .. name)
    end
  end
  for _, index in ipairs({ 0, -1, 2, 1 << 40, math.mininteger }) do
    assert(not pcall(debug.upvaluejoin, own, index, own, 1) and not debug.getupvalue(own, index))
  end
  assert(debug.getupvalue(own, 1) == "x")
  return nil, "denied"
end
