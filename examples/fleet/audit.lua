local logger = require("logger")

--- Reads one line of the ledger aloud: `fleet.py` listens.
return function(done)
  local fields = { walk = done.walk, number = done.number, host = done.host, again = done.again }
  logger.info("done", fields)
end
