-- expect: harmless: the first one wins
local queue = require("queue")

return function()
  local msg = queue.message()
  assert(msg:retry({ delay = "1s" }))
  for _, method in ipairs({ "ack", "nack", "reject" }) do
    local ok, err = msg[method](msg)
    assert(ok == nil and err:kind() == "INVALID")
  end
end
