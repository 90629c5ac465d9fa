-- expect: harmless: replacing what the trusted half calls replaces nothing there
local json, store = require("json"), require("store")
local calls = 0

local function evil()
  calls = calls + 1
  return "evil"
end

for _, name in ipairs({ "tostring", "type", "select", "getmetatable", "rawget", "next" }) do
  _G[name] = evil
end
for _, library in ipairs({ table, string, math, utf8 }) do
  for name in pairs(library) do
    library[name] = evil
  end
end

return function()
  json.encode({ a = { 1, 2.5, "x" } })
  json.decode('{"a":[1,2]}')
  store.open("app:values"):get("nothing")
  if calls > 0 then
    error("the host called the script")
  end
end
