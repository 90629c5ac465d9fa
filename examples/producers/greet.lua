local logger = require("logger")
local queue = require("queue")

return function(body)
  logger.info("hello", { name = body.name, from = queue.message():header("source") })
end
