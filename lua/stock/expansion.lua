--- The replacement string of gsub: text with `%0` to `%9` and `%%` in it.
---
---     local pieces = expansion.read("<%1>")          --> { "<", 1, ">" }
---     expansion.fill(pieces, "key=", "key")          --> "<key>"
local blame = require("host.walls.blame")

local byte, concat, find, select, sub, type =
  string.byte, table.concat, string.find, select, string.sub, type

local expansion = {}

local PERCENT, ZERO, NINE = 37, 48, 57

local function read_escape(text, at)
  local code = byte(text, at + 1)
  if code == PERCENT then
    return "%"
  elseif code and code >= ZERO and code <= NINE then
    return code - ZERO
  end
  blame.raise("invalid use of '%' in replacement string")
end

--- The pieces of a replacement: strings, and numbers for what is captured.
---@param text string
---@return (string | integer)[]
function expansion.read(text)
  local pieces, from = {}, 1
  local at = find(text, "%", 1, true)
  while at do
    pieces[#pieces + 1] = sub(text, from, at - 1)
    pieces[#pieces + 1] = read_escape(text, at)
    from = at + 2
    at = find(text, "%", from, true)
  end
  pieces[#pieces + 1] = sub(text, from)
  return pieces
end

--- The replacement for one match.
---@param pieces (string | integer)[]
---@param whole string  the match
---@param ... any       its captures
---@return string
function expansion.fill(pieces, whole, ...)
  local captures = { [0] = whole, ... }
  if select("#", ...) == 0 then
    captures[1] = whole
  end
  local filled = {}
  for i = 1, #pieces do
    local piece = pieces[i]
    filled[i] = type(piece) == "string" and piece or captures[piece]
    if not filled[i] then
      blame.raise("invalid capture index %" .. piece)
    end
  end
  return concat(filled)
end

blame.hide()

return expansion
