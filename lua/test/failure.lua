--- What an assertion raises: a code, words, differences, and the line it stands on.
---
---     failure.raise({ code = "T703", text = "expected true, got nil" })
---
--- Scripts can read it and print it; its metatable is hidden.
local error, rawget, rawlen, setmetatable, tostring, type =
  error, rawget, rawlen, setmetatable, tostring, type
local concat = table.concat
local lock = require("host.walls.lock")
local trace = require("host.walls.trace")

local failure = {}

---@class (exact) failure.Mismatch  what an assertion found, before anybody raises it
---@field code string
---@field text string
---@field diff? string[]

---@class failure.Failure
---@field code string
---@field message string
---@field diff string[]
---@field source? string
---@field line? integer

-- Also the answer of `getmetatable`, so that scripts cannot reach the real one.
local NAME = "test.failure"

--- The lines of its diff; a script can write into any table, so they are looked at once more.
---@param self failure.Failure
---@return string[]
---@nodiscard
function failure.lines(self)
  local lines, kept = rawget(self, "diff"), {}
  for index = 1, type(lines) == "table" and rawlen(lines) or 0 do
    kept[index] = tostring(rawget(lines, index))
  end
  return kept
end

local function to_text(self)
  local text = tostring(rawget(self, "code")) .. " " .. tostring(rawget(self, "message"))
  local lines = failure.lines(self)
  return #lines == 0 and text or text .. "\n" .. concat(lines, "\n")
end

local Failure = lock.metatable({ __name = NAME, __tostring = to_text }, NAME)

--- Raises a mismatch, with the words of the test's author in front.
---@param mismatch failure.Mismatch
---@param message? string
function failure.raise(mismatch, message)
  local source, line = trace.place(1)
  local text = mismatch.text
  if message ~= nil then
    text = tostring(message) .. ": " .. text
  end
  local raised = {
    code = mismatch.code,
    message = text,
    diff = mismatch.diff or {},
    source = source,
    line = line,
  }
  error(setmetatable(raised, Failure), 0)
end

--- Whether an assertion raised it.
---@param value any
---@return boolean
---@nodiscard
function failure.is(value)
  return lock.is_of(value, Failure)
end

return failure
