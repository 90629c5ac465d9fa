-- expect: contained-time: log lines without an end
local logger = require("logger")

return function()
  while true do
    logger.info("flood", { n = 1 })
  end
end
