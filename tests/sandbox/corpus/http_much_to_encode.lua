-- expect: contained-time: forms that take longer to write than a message may take
local http = require("http")
return function()
  local many = {}
  for index = 1, 20000 do
    many["k" .. index] = ("\0"):rep(100)
  end
  while true do
    http.post("http://0.0.0.0/", { form = many })
  end
end
