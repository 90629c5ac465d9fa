local logger = require("logger")

--- Reads one line of the ledger aloud: `fleet.py` listens.
return function(done)
  logger.info("done", { walk = done.walk, number = done.number, host = done.host })
end
