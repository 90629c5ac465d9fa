-- expect: denied: no coroutine gets through a lent function, not even inside another one
local store = require("store")

return function()
  local values = store.open("app:values")
  local problem = coroutine.wrap(function()
    pcall(function()
      values.id = coroutine.create(print)
    end)
    local _, _, err = pcall(values.get, values, "key")
    return err
  end)()
  if problem == nil or problem:kind() == "INTERNAL" then
    error("reached Python with a coroutine: " .. tostring(problem))
  end
  return nil, "denied"
end
