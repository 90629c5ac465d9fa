-- expect: denied: no function gets through a lent function
local store = require("store")

return function()
  local values = store.open("app:values")
  local called = false
  pcall(function()
    values.id = function()
      called = true
    end
  end)
  local _, _, err = pcall(values.get, values, "key")
  if called or err == nil or err:kind() == "INTERNAL" then
    error("reached Python with a function: " .. tostring(err))
  end
  return nil, "denied"
end
