-- expect: harmless: JSON that is nested deep is refused
local json = require("json")

return function()
  local value, err = json.decode(("["):rep(100000) .. ("]"):rep(100000))
  assert(value == nil and err:message():find("nested"))
  local t = {}
  for _ = 1, 10000 do
    t = { t }
  end
  assert(json.encode(t) == nil)
  t = {}
  t.t = t
  assert(json.encode(t) == nil)
end
