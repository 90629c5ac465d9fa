-- expect: contained-time: matches by the thousand, again and again
local regex = require("regex")
local anything = regex.compile("(.)(.)?")

return function()
  while true do
    pcall(anything.gsub, anything, ("ab"):rep(9000), "%2%1")
  end
end
