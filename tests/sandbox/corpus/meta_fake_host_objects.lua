-- expect: denied: names of the host's classes make no objects of the host
local logger, store, queue = require("logger"), require("store"), require("queue")

return function()
  local msg = queue.message()
  for _, name in ipairs({ "error", "message", "store", "json.null" }) do
    local fake = setmetatable({ id = "app:values", _kind = "X" }, {
      __metatable = name,
      __name = name,
      __index = function()
        return print
      end,
    })
    logger.info(fake, fake)
    local values = store.open("app:values")
    if
      pcall(values.get, fake, "k")
      or pcall(msg.ack, fake)
      or pcall(errors.new("x").kind, fake)
    then
      error("reached the host as a fake " .. name)
    end
  end
  return nil, "denied"
end
