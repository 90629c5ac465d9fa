-- expect: harmless: settling from a coroutine is settling
local queue = require("queue")

return function()
  local msg = queue.message()
  assert(coroutine.wrap(function()
    return msg:ack()
  end)() == true)
  local ok = msg:ack()
  assert(ok == nil)
end
