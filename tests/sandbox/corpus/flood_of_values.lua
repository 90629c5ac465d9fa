-- expect: contained-time: values into a store
local store = require("store")

return function()
  local values = store.open("app:values")
  local n = 0
  while true do
    n = n % 100 + 1
    values:set("key" .. n, ("x"):rep(1000))
  end
end
