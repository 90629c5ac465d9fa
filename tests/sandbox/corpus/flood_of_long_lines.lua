-- expect: contained-time: log lines of megabytes
local logger = require("logger")
local long = ("x"):rep(2000000)
local fields = {}
for index = 1, 1000 do
  fields["key" .. index] = long
end

return function()
  while true do
    logger.info(long, fields)
    print(long, long, long)
  end
end
