-- expect: contained-time: loggers with new names
local logger = require("logger")

return function()
  local n = 0
  while true do
    n = n + 1
    logger.named("n" .. n).with({ n = n }).debug("x")
  end
end
