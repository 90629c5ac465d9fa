-- expect: contained-memory: what is read from JSON
local json = require("json")

return function()
  local t, text = {}, "[" .. ("1,"):rep(10000) .. "1]"
  while true do
    t[#t + 1] = json.decode(text)
  end
end
