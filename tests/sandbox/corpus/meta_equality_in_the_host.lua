-- expect: harmless: __eq of a script is no key to a comparison of the host
local json, logger = require("json"), require("logger")

return function()
  local calls = 0
  local meta = {
    __eq = function()
      calls = calls + 1
      return true
    end,
  }
  local a = setmetatable({}, meta)
  json.encode(a)
  json.array(a)
  logger.info("x", { a = a })
  logger.info(a)
  coroutine.wrap(function()
    return a
  end)()
  xpcall(error, print, a)
  assert(calls == 0)
end
