-- expect: denied: no table gets through a lent function, whatever the object says it is
local store = require("store")

local function evil(...)
  error("reached: Python called " .. select("#", ...), 0)
end

return function()
  local values = store.open("app:values")
  local fake = setmetatable({ decode = evil, encode = evil, startswith = evil }, {
    __index = evil,
    __call = evil,
    __tostring = evil,
  })
  pcall(function()
    values.id = fake
  end)
  local ok, value, err = pcall(values.get, values, "key")
  if ok and err == nil then
    error("reached the store: " .. tostring(value))
  elseif tostring(err or value):find("reached") or tostring(err):find("inside") then
    error("reached: " .. tostring(err or value))
  end
  return nil, "denied"
end
