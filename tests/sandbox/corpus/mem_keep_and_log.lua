-- expect: contained-memory: everything kept, then a call of the host
local logger = require("logger")
local hoard = {}

return function()
  pcall(function()
    while true do
      hoard[#hoard + 1] = ("x"):rep(1000) .. #hoard
    end
  end)
  logger.info("made it", { n = #hoard })
end
