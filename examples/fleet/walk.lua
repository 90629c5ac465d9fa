local env = require("env")
local queue = require("queue")
local time = require("time")

--- Takes one step of a walk, and writes into the ledger that it did.
return function(step)
  time.sleep(0.1)
  local done = {
    walk = step.walk,
    number = step.number,
    host = env.get("FLEET_HOST"),
    again = queue.message():interruptions() > 0,
  }
  local _, err = queue.publish("ledger", done, nil, { group = step.walk })
  return err == nil, err
end
