-- expect: harmless: NaN and infinity cross as what they are and break nothing
local store, time, queue = require("store"), require("time"), require("queue")

return function()
  for _, number in ipairs({ 0 / 0, math.huge, -math.huge, 1e308, -1e308, math.mininteger }) do
    pcall(time.sleep, number)
    pcall(time.rfc3339, number)
    pcall(time.format, number)
    pcall(queue.publish, "app:q", 1, nil, { delay = number })
    local values = store.open("app:values")
    pcall(values.set, values, "k", 1, { ttl = number })
    pcall(values.incr, values, "i", number)
    local _, err = values:get("i")
    assert(err == nil or err:kind() == "INVALID", tostring(err))
    values:delete("i")
    values:delete("k")
  end
end
