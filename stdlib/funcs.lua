--- Calls other functions of the project, each in its own state.
---
---     local funcs = require("funcs")
---     local total, err = funcs.call("app:total_of", { 10, 20 })
---
--- In the function's own namespace its bare name will do. Arguments and results are copied as JSON;
--- a nil among them stays nil. The call runs on the time limit of its caller, and in what memory
--- its caller leaves of its own: a chain of calls shares what the first of them may have.
---
--- What is called acts in its caller's name: it may do what the caller may. In another name, or
--- within another scope, with objects of the module `security`:
---
---     local as_ada = funcs.new():with_actor(ada):with_scope(buyers)
---     local total, err = as_ada:call("total_of", { 10, 20 })
local check = require("check")
local errors = require("errors")
local held = require("host.run.held")
local json = require("json")
local lent = require("host.walls.lent")
local limits = require("host.walls.limits")
local lock = require("host.walls.lock")
local weak = require("host.walls.weak")
local bare_names = require("host.walls.bare_names")

local error, rawequal, select, setmetatable = error, rawequal, select, setmetatable
local concat, format, unpack = table.concat, string.format, table.unpack
local call, null = lent.call, json.null
local collect_for_call = limits.collect_for_call

local funcs = {}

--- The arguments as a JSON array, or nil and an error.
local function encode_all(...)
  local texts = {}
  for index = 1, select("#", ...) do
    local value = select(index, ...)
    local text, err = json.encode(value == nil and null or value, { name = "argument " .. index })
    if not text then
      return nil, errors.wrap(err, "funcs.call")
    end
    texts[index] = text
  end
  return "[" .. concat(texts, ",") .. "]", nil
end

--- Calls a function with arguments as JSON; as the actor and within the scope of these numbers,
--- where they are not 0.
local function call_with(id, arguments, actor, scope)
  collect_for_call()
  local text, err = call(id, arguments, actor, scope)
  if not text then
    return nil, err
  end
  local results = json.decode(text)
  local n = #results
  for index = 1, n do
    if rawequal(results[index], null) then
      results[index] = nil
    end
  end
  return unpack(results, 1, n)
end

--- Calls a function and answers what it returns.
---@param id moonq.FunctionId                 the id of a `function.lua` entry
---@param ... any                   what JSON can carry
---@return any ...                  its results; or nil and its error, where it failed
function funcs.call(id, ...)
  check.argument("funcs.call", "id", id, "string")
  local arguments, fault = encode_all(...)
  if not arguments then
    return nil, fault
  end
  return call_with(id, arguments, 0, 0)
end

---@class funcs.Caller   calls in a name and within a scope of its own
local methods = {}

-- Also the answer of `getmetatable`, so that scripts cannot reach the real one.
local NAME = "funcs.caller"
local Caller = lock.metatable({
  __index = methods,
  __name = NAME,
  __newindex = function()
    error("a funcs.caller cannot be changed; with_actor and with_scope make another one", 2)
  end,
}, NAME)

---@class host.funcs.Known
---@field actor? security.Actor
---@field scope? security.Scope
---@field full bare_names.Full   what a name means in the file that made it

--- What is known of each caller; no script can reach it.
---@type table<funcs.Caller, host.funcs.Known>
local known = weak("k")

local function caller_with(actor, scope, full)
  local caller = setmetatable({}, Caller)
  known[caller] = { actor = actor, scope = scope, full = full }
  return caller
end

local function known_of(self, method)
  local about = lock.is_of(self, Caller) and known[self]
  if not about then
    error(format("caller:%s() is called with a colon, on what funcs.new answers", method), 3)
  end
  return about
end

--- Raises unless it is an object of the module `security`, of this class.
local function expect(value, class, where, name)
  if not held.number(value, class) then
    local got = check.show(value)
    error(format("caller:%s: %s: security.%s expected, got %s", where, name, name, got), 3)
  end
end

--- Another caller, which calls in the name of an actor; needs `funcs.security` of `security`.
---@param actor security.Actor
---@return funcs.Caller|nil caller
---@return errors.Error|nil err   PERMISSION_DENIED
---@nodiscard
function methods:with_actor(actor)
  local about = known_of(self, "with_actor")
  expect(actor, held.ACTOR, "with_actor", "actor")
  local _, err = lent.funcs_security()
  if err then
    return nil, err
  end
  return caller_with(actor, about.scope, about.full), nil
end

--- Another caller, whose calls may do what a scope allows; needs `funcs.security` of `security`.
--- Where nobody's name is known, what is called acts in that of the calling function.
---@param scope security.Scope
---@return funcs.Caller|nil caller
---@return errors.Error|nil err   PERMISSION_DENIED
---@nodiscard
function methods:with_scope(scope)
  local about = known_of(self, "with_scope")
  expect(scope, held.SCOPE, "with_scope", "scope")
  local _, err = lent.funcs_security()
  if err then
    return nil, err
  end
  return caller_with(about.actor, scope, about.full), nil
end

--- Calls a function, as `funcs.call` does.
---@param id moonq.FunctionId                 the id of a `function.lua` entry
---@param ... any                   what JSON can carry
---@return any ...                  its results; or nil and its error, where it failed
function methods:call(id, ...)
  local about = known_of(self, "call")
  check.argument("caller:call", "id", id, "string")
  local arguments, fault = encode_all(...)
  if not arguments then
    return nil, fault
  end
  local actor, scope = about.actor, about.scope
  local who = actor and held.number(actor, held.ACTOR) or 0
  local within = scope and held.number(scope, held.SCOPE) or 0
  return call_with(about.full(id), arguments, who, within)
end

local function as_written(id)
  return id
end

--- A caller in the script's own name, to be given another.
---@return funcs.Caller
---@nodiscard
function funcs.new()
  return caller_with(nil, nil, as_written)
end

local function new_by_name(_, full)
  return function()
    return caller_with(nil, nil, full)
  end
end

bare_names.takes(funcs, { call = bare_names.first, new = new_by_name })

return funcs
