-- expect: denied: what require answers cannot be changed
return function()
  local json = require("json")
  if
    pcall(rawset, json, "encode", print)
    or pcall(function()
      json.encode = print
    end)
    or pcall(setmetatable, json, {})
    or getmetatable(json)
  then
    error("reached json")
  end
  return nil, "denied"
end
