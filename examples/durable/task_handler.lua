local logger = require("logger")
local time = require("time")

--- Counts the words of a text, slowly enough that one can pull the plug meanwhile.
local function handler(task)
  logger.info("begun", { task = task.id })
  time.sleep(0.2)
  local _, words = task.data:gsub("%S+", "")
  logger.info("done", { task = task.id, words = words })
end

return handler
