--- Unique ids (RFC 9562).
---
---     local uuid = require("uuid")
---     uuid.v4() --> "9b2f6a0e-5c1d-4f0e-8a4b-0d6f3c1e7a52": random
---     uuid.v7() --> "019b76da-a800-7…": begins with the time, so ids sort by their making
---     uuid.is_valid("9b2f6a0e") --> false
local lent = require("host.walls.lent")

local error, tostring, type = error, tostring, type
local find, format, gsub, unpack = string.find, string.format, string.gsub, string.unpack
local now, random_bytes = lent.now, lent.random_bytes

local uuid = {}

local SHAPE = "^"
  .. gsub("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", ".", { x = "%x", ["-"] = "%-" })
  .. "$"

--- Two random integers of 64 bits.
local function randomness()
  local bytes, err = random_bytes(16)
  if not bytes then
    error("uuid: " .. tostring(err), 3)
  end
  return unpack("<i8i8", bytes)
end

--- The text of 128 bits: `high` with the version in it, `low` with the variant put over its top.
local function text_of(high, low)
  low = low & 0x3FFFFFFFFFFFFFFF | ~0x7FFFFFFFFFFFFFFF
  return format(
    "%08x-%04x-%04x-%04x-%012x",
    high >> 32,
    high >> 16 & 0xFFFF,
    high & 0xFFFF,
    low >> 48,
    low & 0xFFFFFFFFFFFF
  )
end

--- A random id.
---@return string
---@nodiscard
function uuid.v4()
  local high, low = randomness()
  return text_of(high & ~0xF000 | 0x4000, low)
end

-- The moment and the counter of the last id. An id of the same millisecond, or of a clock that was
-- set back, counts on: so the ids of one worker are strictly growing.
local last_moment, counter = 0, 0

--- An id that begins with the time in milliseconds; those of one worker are in strict order.
---@return string
---@nodiscard
function uuid.v7()
  local high, low = randomness()
  local moment = now() * 1000 // 1 | 0
  if moment > last_moment then
    -- Half of the counter's room stays free for this millisecond.
    last_moment, counter = moment, high & 0x7FF
  elseif counter < 0xFFF then
    counter = counter + 1
  else
    last_moment, counter = last_moment + 1, 0
  end
  return text_of(last_moment << 16 | 0x7000 | counter, low)
end

--- Whether a value is the text of a UUID, of any version.
---@param text any
---@return boolean
---@nodiscard
function uuid.is_valid(text)
  return type(text) == "string" and #text == 36 and find(text, SHAPE) ~= nil
end

return uuid
