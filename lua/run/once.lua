--- Runs a function once for a key of a store, whoever asks, on whatever host.
---
---     once.run(seen, "charge-7", 3600, function() return bank.charge(7) end)  --> its answer
---
--- Under the key lies who runs it, for as long as that one has time, and then its answer. The
--- store's `cas` decides who runs it; everything else follows from what lies there.
local errors = require("errors")
local lent = require("host.walls.lent")
local uuid = require("uuid")

local format, min, setmetatable, type = string.format, math.min, setmetatable, type
local sleep, time_left = lent.sleep, lent.time_left

local once = {}

--- Seconds that a run may take whose function has no time limit.
local LONGEST = 3600
--- What is put on the time that a run has left, so that it has ended when that is over.
local LATE = 5
--- Seconds between two looks at what another one does: more each time.
local FIRST, MOST = 0.01, 0.25

local function unavailable(key)
  local text =
    format("store: once: %q is being run elsewhere; its answer did not come in time", key)
  return nil, errors.new({ kind = errors.UNAVAILABLE, message = text, retryable = true })
end

--- Whether what lies under the key is what `run` puts there, with an answer or who makes it.
local function is_ours(found)
  return type(found) == "table" and (found.once == "running" or found.once == "done")
end

local function foreign(key)
  local text = format("store: once: under %q lies a value that is none of `once`", key)
  return nil, errors.new({ kind = errors.CONFLICT, message = text, retryable = false })
end

--- Gives a claim back at the end of its block, however that ends, unless an answer is kept by then.
local Claim = {
  __close = function(claim)
    if not claim.is_kept then
      claim.store:cas(claim.key, claim.value, nil)
    end
  end,
}

--- Runs the function and keeps its answer; a failure leaves nothing behind.
local function run(claim, ttl, fn)
  local held <close> = claim
  local answer, err = fn()
  if answer == nil and err ~= nil then
    return nil, err
  end
  local value = { once = "done", answer = answer }
  local done, problem = held.store:set(held.key, value, { ttl = ttl })
  if not done then
    return nil, errors.wrap(problem, "store: once: the answer cannot be kept")
  end
  held.is_kept = true
  return answer, nil
end

--- What lies under the key in the end, perhaps nothing; nil and an error when it takes too long.
local function awaited(store, key)
  local pause = FIRST
  while true do
    local found, err = store:get(key)
    if err or found == nil or not is_ours(found) or found.once == "done" then
      return found, err
    end
    local left = time_left()
    if left and left < 2 * pause then
      return unavailable(key)
    end
    local _, canceled = sleep(pause)
    if canceled then
      return nil, canceled
    end
    pause = min(2 * pause, MOST)
  end
end

--- See `store:once`.
---@param store store.Store
---@param key string
---@param ttl number   seconds
---@param fn fun(): any
---@return any answer
---@return errors.Error|nil err
function once.run(store, key, ttl, fn)
  while true do
    local found, err = awaited(store, key)
    if err then
      return nil, err
    elseif found ~= nil then
      if not is_ours(found) then
        return foreign(key)
      end
      return found.answer, nil
    end
    local left = time_left() or LONGEST
    local value = { once = "running", by = uuid.v4() }
    local is_mine, fault = store:cas(key, nil, value, { ttl = left + LATE })
    if fault then
      return nil, fault
    elseif is_mine then
      return run(setmetatable({ store = store, key = key, value = value }, Claim), ttl, fn)
    end
  end
end

return once
