--- What Python may call in a state. Only strings, numbers, booleans and nil cross, both ways.
local deliver = require("host.run.deliver")
local exports = require("host.walls.exports")
local fault = require("host.run.fault")
local json = require("json")
local limits = require("host.walls.limits")
local modules = require("host.walls.modules")
local protect = require("host.walls.protect")
local raw = require("host.raw")
local trace = require("host.walls.trace")
local world = require("host.walls.world")

local collectgarbage, require = collectgarbage, require
local pack, running, sethook = table.pack, coroutine.running, debug.sethook
local find, gmatch, match, rawequal = string.find, string.gmatch, string.match, rawequal
local getmetatable, next, tostring, type, xpcall = getmetatable, next, tostring, type, xpcall
local concat, unpack = table.concat, table.unpack

local api = {}

---@type function
local handler
local is_json = true

--- The address of the state's main coroutine, for the watchdog: proved by a hook with a count
--- that is used nowhere else, which Python must see at that address through the C API.
---@return string? address  hexadecimal; nil when it could not be proved
function api.find_address()
  local address = match(tostring((running())), "0x(%x+)")
  sethook(function() end, "", 54321)
  local _, seen = raw.sees_hook(address, 54321)
  sethook()
  return seen and address or nil
end

api.use_permanent_hook = protect.use_permanent_hook

local function set_of(list)
  local set = {}
  for name in gmatch(list, "[^,]+") do
    set[name] = true
  end
  return set
end

local function map_of(list)
  local map = {}
  for alias, id in gmatch(list, "([^,=]+)=([^,]+)") do
    map[alias] = id
  end
  return map
end

--- Makes a script known.
---@param id string
---@param chunk string     "@path"
---@param source string
---@param names string     modules, separated by commas
---@param imports string   "alias=id,..."
---@param namespace string where its bare names of entries belong; "" for none
function api.define(id, chunk, source, names, imports, namespace)
  modules.define({
    id = id,
    chunk = chunk,
    source = source,
    modules = set_of(names),
    imports = map_of(imports),
    namespace = namespace,
  })
end

local function guarded(...)
  local result = pack(xpcall(...))
  if result[1] then
    return result
  end
  local value, stack = trace.raised(result[2])
  if rawequal(value, limits.EXCEEDED) then
    return nil, "MEMORY", value, nil, stack
  end
  local kind, text, retryable, own_stack = fault.of(value)
  return nil, kind, text, retryable, stack ~= "" and stack or own_stack
end

--- Loads the function *id*; runs its file and those of its imports.
---@param id string
---@param method string   the function's name in the table the file returns; "" for itself
---@param decodes boolean whether bodies are JSON
---@return boolean ok
---@return string? kind
---@return string? message
---@return boolean? retryable
---@return string? stack
function api.open(id, method, decodes)
  local result, kind, text, retryable, stack = guarded(exports.find, trace.handler, id, method)
  deliver.forget()
  if not result then
    return false, kind, text, retryable, stack
  end
  handler, is_json = result[2], decodes
  return true
end

--- Puts a function around the one that `open` has found.
---@param wrap fun(fn: function): function
function api.decorate(wrap)
  handler = wrap(handler)
end

--- Runs the handler on messages; see `deliver.run`.
function api.deliver(...)
  return deliver.run(handler, is_json, ...)
end

api.progress = deliver.progress

--- A copy of a value with its error values as what they say, not as what they are made of.
local function told(value)
  if type(value) ~= "table" or next(value) == nil then
    return value
  elseif getmetatable(value) == "error" then
    return { kind = value:kind(), message = value:message(), retryable = value:retryable() }
  end
  local copy = {}
  for key, item in next, value do
    copy[key] = told(item)
  end
  return copy
end

local function encode_result(value)
  local text, problem = json.encode(value, { name = "result" })
  if text and find(text, '"_kind":', 1, true) then
    return json.encode(told(value), { name = "result" })
  end
  return text, problem
end

local function encode_results(result)
  local list = {}
  for index = 2, result.n do
    local text, problem = "null", nil
    if result[index] ~= nil then
      text, problem = encode_result(result[index])
    end
    if problem then
      text = json.encode({ ["$lua"] = fault.text(result[index]) })
    end
    list[index - 1] = text
  end
  return "[" .. concat(list, ",") .. "]"
end

local function apply(list)
  return handler(unpack(list, 1, #list))
end

--- Calls the function with arguments given as a JSON array.
---@param arguments string
---@return boolean ok
---@return string results_or_kind  a JSON array of results
---@return string? message
---@return boolean? retryable
---@return string? stack
function api.call(arguments)
  local list, problem = json.decode(arguments)
  if problem then
    return false, "INVALID", tostring(problem)
  end
  local result, kind, text, retryable, stack = guarded(apply, trace.handler, list)
  deliver.forget()
  if not result then
    return false, kind, text, retryable, stack
  elseif result.n >= 3 and result[2] == nil and result[3] ~= nil then
    return false, fault.of(result[3])
  end
  return true, encode_results(result)
end

---@type fun(event: verdict.Event): verdict.Verdict
local judge

--- Makes this state the judge of a queue; the function that is open is the queue's own policy.
---@param queue string  a `verdict.Queue` as JSON
function api.set_policy(queue)
  -- Loaded here and not above, so that the states of workers stay small.
  judge = require("host.run.verdict").judge(json.decode(queue), handler)
end

--- What an event leads to: takes the fields of a `verdict.Event` and answers those of a
--- `verdict.Verdict`, in the order in which they are declared (see `verdict.lua`).
---@return string action
---@return number? delay
---@return string? reason
---@return string? kind
---@return string? message
---@return string? words
---@return string? problem
function api.decide(
  what,
  kind,
  message,
  attempt,
  interruptions,
  snoozes,
  chance,
  retryable,
  delay,
  elapsed,
  is_stopping
)
  local found = judge({
    what = what,
    kind = kind,
    message = message,
    attempt = attempt,
    interruptions = interruptions,
    snoozes = snoozes,
    chance = chance,
    retryable = retryable,
    delay = delay,
    elapsed = elapsed,
    is_stopping = is_stopping,
  })
  return found.action,
    found.delay,
    found.reason,
    found.kind,
    found.message,
    found.words,
    found.problem
end

--- Collects garbage and answers how many KiB are left in use.
---@return number
function api.collect()
  collectgarbage()
  return collectgarbage("count")
end

--- Where the script was when it was cut off.
---@return string
function api.last_trace()
  return trace.last()
end

--- Loads more of the trusted half, for states that do more than a worker's.
---@param name string  such as "host.test.tester"
---@return table
function api.more(name)
  return require(name)
end

local _, memory_limit = raw.memory_limit()
limits.set_memory(memory_limit)
world.seal_strings()

return api
