-- expect: denied: modules check what they are given before the host sees it
local store, queue, env = require("store"), require("queue"), require("env")

return function()
  local values = store.open("app:values")
  for _, call in ipairs({
    { values.get, values },
    { values.set, values },
    { values.set, values, {}, {} },
    { values.delete, values, {} },
    { values.incr, values, "k", {} },
    { values.keys, values, {} },
    { queue.publish },
    { queue.publish, {}, {} },
    { queue.publish_batch, "q", "x" },
    { queue.info, print },
    { env.get, {} },
    { store.open, {} },
  }) do
    local ok, first, err = pcall(table.unpack(call))
    if ok and err == nil then
      error("reached " .. tostring(first))
    elseif ok and err:kind() == "INTERNAL" then
      error("reached an exception")
    end
  end
  return nil, "denied"
end
