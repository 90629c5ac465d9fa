-- expect: denied: a value of the host's cannot be marked
local json = require("json")

return function()
  if
    pcall(rawset, json.null, "MARKER", 1)
    or pcall(function()
      json.null.MARKER = 1
    end)
    or pcall(setmetatable, json.null, {})
    or pcall(json.array, json.null)
    or pcall(table.insert, json.null, 1)
    or json.null.MARKER ~= nil
  then
    error("reached json.null")
  end
  return nil, "denied"
end
