--- Claims that hang on what the driver can do. Where it cannot, asking must be refused.
local queue = require("queue")
local registry = require("registry")
local test = require("test")

local able = {}

local function ask(to, options)
  return function()
    return queue.publish(to, { ["do"] = "nothing" }, nil, options)
  end
end

--- How one asks for an ability.
local ASKING = {
  delay = ask("contract:tasks", { delay = "1s" }),
  ttl = ask("contract:tasks", { ttl = "1s" }),
  priority = ask("contract:tasks", { priority = "high" }),
  dedup = ask("contract:tasks", { dedup_key = "key" }),
  group = ask("contract:tasks", { group = "key" }),
  max_length = ask("contract:small"),
  max_bytes = ask("contract:heavy"),
  drop_oldest = ask("contract:oldest"),
  group_skip = ask("contract:skipping"),
}

--- Where an entry asks; a driver that has its entries checked leaves it no such option.
local WRITTEN = {
  max_length = "contract:small",
  max_bytes = "contract:heavy",
  drop_oldest = "contract:oldest",
  group_skip = "contract:skipping",
}

local function is_refused_by_check(ability)
  local entry = WRITTEN[ability] and registry.get(WRITTEN[ability])
  return entry ~= nil and not entry.options
end

local function refusal(ability)
  return function()
    local id, err = ASKING[ability]()
    test.has_error(id, err)
    test.error_kind(err, errors.INVALID)
    test.is_false(err:retryable())
  end
end

--- Declares a test that needs an ability; without it the test is that it is refused.
---@param ability string
---@param claim string
---@param body fun()
function able.it(ability, claim, body)
  if test.driver():can(ability) then
    test.it(claim, body)
  elseif is_refused_by_check(ability) then
    test.it_skip(("%s (%s: refused when the project is checked)"):format(claim, ability), body)
  else
    test.it(("%s, or is refused: %s"):format(claim, ability), refusal(ability))
  end
end

--- Declares a test that needs an ability without a limit; with one, it is not tried, and says why.
---@param ability string
---@param claim string
---@param body fun()
function able.strictly(ability, claim, body)
  local declare = test.driver():can(ability) and able.exactly or able.it
  declare(ability, claim, body)
end

--- Declares a test of what nobody asks for, such as exact counts: a driver says why not.
---@param ability string
---@param claim string
---@param body fun()
function able.exactly(ability, claim, body)
  local can, reason = test.driver():is_exact(ability)
  if can then
    test.it(claim, body)
  else
    test.it_skip(("%s (%s: %s)"):format(claim, ability, reason), body)
  end
end

--- Declares a test that takes hours, unless time is the test's own.
---@param claim string
---@param body fun()
function able.patiently(claim, body)
  if test.driver().is_virtual then
    test.it(claim, body)
  else
    test.it_skip(claim .. " (takes too long in real time)", body)
  end
end

--- A moment or a length of time is as near as the driver's clock allows, and never early.
---@param actual number
---@param expected number
function able.due(actual, expected)
  -- In real time a wait begins a little before this hears of it.
  test.gte(actual, expected - (test.driver().is_virtual and 0.001 or 0.05))
  test.lte(actual, expected + math.max(1, test.driver().tolerance))
end

--- A message was run after these waits, in seconds.
---@param run testing.Run
---@param id string
---@param waits number[]
function able.waited(run, id, waits)
  local found = run.waits[id]
  test.len(found, #waits)
  for place, seconds in ipairs(waits) do
    able.due(found[place], seconds)
  end
end

return able
