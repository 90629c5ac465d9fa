-- expect: denied: a store's object can be made useless, never made to reach another store
local store = require("store")

return function()
  local values = store.open("app:values")
  if pcall(rawset, values, "id", "app:other") or pcall(setmetatable, values, {}) then
    error("reached the object")
  end
  return nil, "denied"
end
