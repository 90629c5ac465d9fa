-- expect: denied: small texts that are large, or take long
local yaml = require("yaml")

local function nested_aliases()
  local lines = { "a: &a [x, x, x, x, x, x, x, x, x]" }
  for level = 1, 8 do
    local before, name = string.char(96 + level), string.char(97 + level)
    lines[#lines + 1] = ("%s: &%s [%s]"):format(name, name, (("*%s, "):format(before)):rep(9))
  end
  return table.concat(lines, "\n")
end

return function()
  local texts = { nested_aliases(), "!!python/object/apply:os.system [id]", "&a [*a]" }
  for _, piece in ipairs({ "[", "{", "- ", "? ", "[a, ", "a: [", "&a " }) do
    texts[#texts + 1] = piece:rep(30000)
  end
  for _, text in ipairs(texts) do
    if yaml.decode(text) then
      error("it was read: " .. text:sub(1, 20), 0)
    end
  end
  error("denied", 0)
end
