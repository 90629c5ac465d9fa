--- What a test may know of the driver of its queues, so that it asks for what there is.
---
---     driver_under_test.of(""):can("priority")
---     --> false, "SQS has no priorities"
local check = require("check")
local json = require("json")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local refusal = require("host.test.refusal")

local format, setmetatable = string.format, setmetatable

local driver_under_test = {}

---@class testing.Driver  the driver of a queue, as a test looks at it
---@field kind string         such as "queue.driver.redis"; that of memory where it stands in
---@field tolerance number    by how many seconds a moment may be off
---@field is_virtual boolean  whether time stands still until the test lets it pass
---@field private abilities table<string, string>
---@field private reasons table<string, string>
local Driver = {}
local NAME = "test.driver"
local meta = lock.metatable({ __index = Driver, __name = NAME }, NAME)

--- How far the driver has an ability, and why no further; the names are those of `moonq doctor
--- --json`, such as "priority" or "dedup".
---@param name string
---@return "native"|"emulated"|"approximate"|"none" word
---@return string? reason
---@nodiscard
function Driver:ability(name)
  local word = self.abilities[name]
  if not word then
    local hint = check.hint(name, check.names(self.abilities))
    refusal.raise(format("test.driver: unknown ability %s%s", check.show(name), hint))
  end
  return word, self.reasons[name]
end

--- Whether the driver has an ability, if only approximately; else asking for it is an error.
---@param name string
---@return boolean can
---@return string? reason  why it cannot
---@nodiscard
function Driver:can(name)
  local word, reason = self:ability(name)
  return word ~= "none", reason
end

--- Whether the driver keeps the contract's word there without a limit.
---@param name string
---@return boolean is_exact
---@return string? reason  why it is not
---@nodiscard
function Driver:is_exact(name)
  local word, reason = self:ability(name)
  return word == "native" or word == "emulated", reason
end

--- The driver of a queue; of the only kind that the project has, where no queue is named.
---@param queue string  a full id, or ""
---@return testing.Driver
---@nodiscard
function driver_under_test.of(queue)
  if queue ~= "" then
    queue = refusal.check(lent.test_queue(queue))
  end
  return setmetatable(json.decode(refusal.check(lent.test_driver(queue))), meta)
end

return driver_under_test
