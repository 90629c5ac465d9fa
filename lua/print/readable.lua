--- Text that JSON can carry: bytes that are no UTF-8 are written out.
---
---     readable("caf\xE9")  --> "caf\\xE9"
local byte, format, gsub = string.byte, string.format, string.gsub
local utf8_len = utf8.len

local function written_out(char)
  return format("\\x%02X", byte(char))
end

---@param text string
---@return string
---@nodiscard
return function(text)
  return utf8_len(text) and text or (gsub(text, "[\128-\255]", written_out))
end
