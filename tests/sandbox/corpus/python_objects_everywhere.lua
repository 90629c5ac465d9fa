-- expect: denied: no value that a script can walk to is a Python object
local seen, path = {}, {}

local function walk(value)
  if type(value) == "userdata" then
    error("reached " .. table.concat(path, "."))
  end
  local meta = getmetatable(value)
  if type(meta) == "table" and not seen[meta] then
    seen[meta] = true
    path[#path + 1] = "metatable"
    walk(meta)
    path[#path] = nil
  end
  if type(value) ~= "table" or seen[value] then
    return
  end
  seen[value] = true
  for key, inner in pairs(value) do
    path[#path + 1] = tostring(key)
    walk(key)
    walk(inner)
    path[#path] = nil
  end
end

return function()
  walk(_G)
  for _, name in ipairs({ "json", "logger", "queue", "store", "time", "errors", "uuid" }) do
    walk(require(name))
  end
  walk(require("queue").message())
  walk(require("store").open("app:values"))
  return nil, "denied"
end
