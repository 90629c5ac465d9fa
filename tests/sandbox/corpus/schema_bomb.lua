-- expect: denied: schemas that grow without end, or reach out
local json = require("json")

local function exponential()
  local defs = { a40 = { type = "integer" } }
  for level = 0, 39 do
    local below = { ["$ref"] = ("#/$defs/a%d"):format(level + 1) }
    defs["a" .. level] = { allOf = { below, below } }
  end
  return { ["$ref"] = "#/$defs/a0", ["$defs"] = defs }
end

return function()
  local schemas = {
    exponential(),
    { ["$ref"] = "#" },
    { ["$ref"] = "file:///etc/passwd" },
    { ["$ref"] = "http://127.0.0.1:1/x" },
    { patternProperties = { ["^a"] = { ["$ref"] = "#" }, a = { ["$ref"] = "#" } } },
    { pattern = "((a{100}){100}){100}" },
  }
  for _, schema in ipairs(schemas) do
    if json.validate(schema, "x") then
      error("it was taken", 0)
    end
  end
  error("denied", 0)
end
