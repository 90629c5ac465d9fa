-- expect: contained-time: many references to a table that is long and empty
local json = require("json")
local sparse, list = {}, {}

return function()
  for place = 1, 2 ^ 18 do
    sparse[place] = true
  end
  for place = 1, 2 ^ 18 do
    sparse[place] = nil
  end
  for place = 1, 50000 do
    list[place] = sparse
  end
  return json.encode(list)
end
