-- expect: harmless: a sum that no integer of Lua holds is refused, not an exception
local store = require("store")

return function()
  local values = store.open("app:values")
  values:delete("n")
  assert(values:incr("n", math.maxinteger) == math.maxinteger)
  local sum, err = values:incr("n", math.maxinteger)
  assert(sum == nil and err:kind() == "INVALID", tostring(err))
  values:delete("n")
  values:incr("n", math.mininteger)
  sum, err = values:incr("n", -1)
  assert(sum == nil and err:kind() == "INVALID", tostring(err))
  values:delete("n")
end
