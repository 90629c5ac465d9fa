-- expect: contained-time: marks of empty lists, by the hundred thousand, through many collections
local json = require("json")

return function()
  local lists, n = {}, 0
  while true do
    n = n % 30000 + 1
    lists[n] = json.array({ lists[n - 1] })
  end
end
