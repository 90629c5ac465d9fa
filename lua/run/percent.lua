--- Percent-encoding (RFC 3986, section 2): a text as one part of a path, a query or a form.
---
---     percent.encoded("a b/ü")  --> "a%20b%2F%C3%BC"
local byte, format, gsub = string.byte, string.format, string.gsub

local percent = {}

local function escaped(one)
  return format("%%%02X", byte(one))
end

--- All but letters, digits, `-`, `.`, `_` and `~` is escaped.
---@param text string
---@return string
---@nodiscard
function percent.encoded(text)
  return (gsub(text, "[^%w%-._~]", escaped))
end

return percent
