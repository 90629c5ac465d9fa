--- What happened while the consumers of a queue ran, as a test gets it; see `testing.Run`.
---
---     run.acked          --> { "0190…" }
---     run:attempts(id)   --> { "0s", "2s" }
local crossing = require("host.run.crossing")
local durations = require("host.run.durations")
local json_reader = require("host.json.reader")
local lock = require("host.walls.lock")

local error, ipairs, setmetatable, type = error, ipairs, setmetatable, type
local format = string.format

local run_record = {}

local Run = {}
local NAME = "test.run"
local meta = lock.metatable({ __index = Run, __name = NAME }, NAME)

local function expect_id(method, id)
  if type(id) ~= "string" then
    error(format("run:%s: a message id expected, got %s", method, type(id)), 3)
  end
end

--- The wait before each attempt at a message: "0s" for the first that did not wait.
---@param id string
---@return string[]
---@nodiscard
function Run:attempts(id)
  expect_id("attempts", id)
  local texts = {}
  for place, seconds in ipairs(self.waits[id] or {}) do
    texts[place] = seconds == 0 and "0s" or durations.show(seconds)
  end
  return texts
end

--- What the handler returned last for a message; nothing when it raised or was stopped. Raises
--- where that was nothing that JSON can carry: the delivery does not mind, but no test can have it.
---@param id string
---@return any ...
---@nodiscard
function Run:result(id)
  expect_id("result", id)
  local found = self.results[id]
  if found and found.problem then
    error("run:result: " .. found.problem, 2)
  elseif found then
    return crossing.decode(found.values)
  end
end

--- The body of a message as its handler would get it; nil where it should be JSON and is not.
---@param known { text: string, is_text: boolean }
---@return any
---@nodiscard
function run_record.body(known)
  if known.is_text then
    return known.text
  end
  return (json_reader.read_body(known.text))
end

--- A record out of what the host tells.
---@param told table
---@return testing.Run
---@nodiscard
function run_record.new(told)
  for _, published in ipairs(told.published) do
    published.body = run_record.body(published)
  end
  return setmetatable(told, meta)
end

return run_record
