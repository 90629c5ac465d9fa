--- What Python may call in a state. Only strings, numbers, booleans and nil cross, both ways.
local deliver = require("host.run.deliver")
local exports = require("host.walls.exports")
local fault = require("host.run.fault")
local lazy = require("host.walls.lazy")
local limits = require("host.walls.limits")
local modules = require("host.walls.modules")
local protect = require("host.walls.protect")
local raw = require("host.raw")
local trace = require("host.walls.trace")
local world = require("host.walls.world")

local collectgarbage, require = collectgarbage, require
local set_metatable = debug.setmetatable
local pack, running, sethook = table.pack, coroutine.running, debug.sethook
local gmatch, match, rawequal = string.gmatch, string.match, rawequal
local tostring, xpcall = tostring, xpcall
local concat, unpack = table.concat, table.unpack

local handed, json = lazy("host.json.handed"), lazy("json")

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

--- Takes the main coroutine's hook away. A permanent one that has stopped the script would stop
--- whatever the host asks next as well, and only a C function gets past it.
api.unhook = sethook

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
  local value = result[2]
  local stack = trace.of(value)
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
  collectgarbage() -- what was only needed to load weighs a fifth, and a state may wait for ever
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

--- The results behind `true` as a JSON array; or nil and an error about one that JSON has not.
local function encode_results(result)
  local texts, count = {}, result.n - 1
  for place = 1, count do
    local text, err = handed.text(result[place + 1], handed.name("result", place, count))
    if not text then
      return nil, err
    end
    texts[place] = text
  end
  return "[" .. concat(texts, ",") .. "]", nil
end

--- Calls the handler; what travelled as null, because a list keeps its length, is nil again.
local function apply(list)
  local count = #list
  for place = 1, count do
    if list[place] == json.null then
      list[place] = nil
    end
  end
  return handler(unpack(list, 1, count))
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
  local results, unfit = encode_results(result)
  if not results then
    return false, fault.of(unfit)
  end
  return true, results
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

--- Lets go of everything and collects it, when the state is about to be closed: Python has dropped
--- all other functions of it. What is called here holds on to nothing but its own two functions.
function api.empty()
  set_metatable("", nil)
  collectgarbage()
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

--- Sets the soft memory limit, in bytes.
api.limit_memory = limits.set_memory

local _, memory_limit = raw.memory_limit()
limits.set_memory(memory_limit)
world.seal_strings()

return api
