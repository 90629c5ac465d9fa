-- expect: harmless: four megabytes of data come and go
local json = require("json")

return function()
  local rows = {}
  for index = 1, 8000 do
    rows[index] = { id = index, name = "row " .. index, ok = index % 2 == 0 }
  end
  local text = json.encode(rows)
  assert(#text > 300000)
  assert(#json.decode(text) == 8000)
  local s = ("0123456789abcdef"):rep(1 << 16)
  assert(#s == 1 << 20 and #(s .. s) == 1 << 21)
  assert(s:find("fX", 1, true) == nil and select(2, s:gsub("f", "g")) == 1 << 16)
end
