--- Who may do what: in whose name a script runs, and asking and acting in the name of others.
---
---     local security = require("security")
---     security.actor():id()                                  --> "clerk"
---     security.can("queue.publish", "mail")                  --> true
---     security.can("orders.refund", "order:7", { sum = 90 }) --> false: an action of your own
---
---     local ada = security.new_actor("user:ada", { role = "buyer" })
---     local buyers = security.named_scope("buyers")           -- all policies of that group
---     buyers:evaluate(ada, "orders.refund", "order:7")       --> "allow", "deny", "undefined"
---     funcs.new():with_actor(ada):with_scope(buyers):call("refund", 7)
---
--- Actors, scopes and policies never change. They hold for the actor and scope in whose name the
--- script ran when it made them: make them in the function that uses them, for one that others call
--- may run in another name the next time. A script may hold 256 actors and scopes.
local check = require("check")
local errors = require("errors")
local held = require("host.run.held")
local json = require("json")
local lent = require("host.walls.lent")
local trace = require("host.walls.trace")
local bare_names = require("host.walls.bare_names")

local error, type = error, type
local concat, find, format = table.concat, string.find, string.format
local pack, unpack = string.pack, string.unpack
local ACTOR, SCOPE, POLICY, made = held.ACTOR, held.SCOPE, held.POLICY, held.made

local security = {}

---@class security.Actor  in whose name something is done
local actor = ACTOR.__index
---@class security.Scope  the policies that say what may be done
local scope = SCOPE.__index
---@class security.Policy  a policy of the project
local policy = POLICY.__index

---@alias security.Effect "allow"|"deny"|"undefined"  what policies say

local NAMES = { [ACTOR] = "actor", [SCOPE] = "scope", [POLICY] = "policy" }

--- Raises at the line where the script is.
local function complain(where, text, ...)
  local source, line = trace.place(1)
  local place = source and source .. ":" .. line .. ": " or ""
  error(place .. where .. ": " .. format(text, ...), 0)
end

--- The value itself, unless it is nil and an error: that is raised, what a policy denies as it is.
local function sure(where, value, err)
  if err and err:kind() == errors.PERMISSION_DENIED then
    error(err, 0)
  elseif err then
    complain(where, "%s", err:message())
  end
  return value
end

--- The number of the object that a method was called on.
local function own_number(self, class, where)
  local number = held.number(self, class)
  if not number then
    complain(where, "it is called with a colon, on a security.%s", NAMES[class])
  end
  return number
end

--- The number of an argument.
local function number_of(value, class, where, name)
  local number = held.number(value, class)
  if not number then
    complain(where, "%s: %s expected, got %s", name, NAMES[class], check.show(value))
  end
  return number
end

--- The id of a policy, which may be given as such or by its id in full.
local function policy_id(value, where)
  local number = held.number(value, POLICY)
  if number then
    return sure(where, lent.security_policy_id(number))
  elseif type(value) ~= "string" or not find(value, ":", 1, true) then
    complain(where, "policy: a policy or its full id expected, got %s", check.show(value))
  end
  return value
end

--- A table of names and values as JSON.
local function encoded(where, meta)
  if meta == nil then
    return ""
  end
  local text, err = json.encode(meta, { name = "meta" })
  return sure(where, text, err)
end

--- Raises unless these make a case.
local function check_case(where, action, resource, meta)
  if type(action) ~= "string" then
    complain(where, "action: string expected, got %s", type(action))
  elseif type(resource) ~= "string" then
    complain(where, "resource: string expected, got %s", type(resource))
  elseif meta ~= nil and type(meta) ~= "table" then
    complain(where, "meta: table expected, got %s", type(meta))
  end
end

-- Actors -----------------------------------------------------------------------------------------

--- Its id, such as "clerk".
---@return string
---@nodiscard
function actor:id()
  local number = own_number(self, ACTOR, "actor:id")
  return sure("actor:id", lent.security_actor_id(number))
end

--- What is noted of it, in a table of your own. `${env:NAME}` in a declared one stays as written.
---@return table<string, any>
---@nodiscard
function actor:meta()
  local number = own_number(self, ACTOR, "actor:meta")
  return (json.decode(sure("actor:meta", lent.security_actor_meta(number))))
end

-- Policies ---------------------------------------------------------------------------------------

--- Its id, such as "app:may_mail".
---@return string
---@nodiscard
function policy:id()
  local number = own_number(self, POLICY, "policy:id")
  return sure("policy:id", lent.security_policy_id(number))
end

--- What this policy alone says of a case; undefined: it does not speak of it.
---@param who security.Actor
---@param action string
---@param resource string             an id in full, or what is no entry's
---@param meta? table<string, any>    what conditions see as `meta`
---@return security.Effect
---@nodiscard
function policy:evaluate(who, action, resource, meta)
  local number = own_number(self, POLICY, "policy:evaluate")
  local by = number_of(who, ACTOR, "policy:evaluate", "actor")
  check_case("policy:evaluate", action, resource, meta)
  local text = encoded("policy:evaluate", meta)
  return sure("policy:evaluate", lent.security_policy_evaluate(number, by, action, resource, text))
end

-- Scopes -----------------------------------------------------------------------------------------

--- What its policies decide together: one that denies goes before all that allow. Undefined, which
--- is as good as denied: none speaks of it.
---@param who security.Actor
---@param action string
---@param resource string             an id in full, or what is no entry's
---@param meta? table<string, any>    what conditions see as `meta`
---@return security.Effect
---@nodiscard
function scope:evaluate(who, action, resource, meta)
  local number = own_number(self, SCOPE, "scope:evaluate")
  local by = number_of(who, ACTOR, "scope:evaluate", "actor")
  check_case("scope:evaluate", action, resource, meta)
  local text = encoded("scope:evaluate", meta)
  return sure("scope:evaluate", lent.security_scope_evaluate(number, by, action, resource, text))
end

--- Its policies, in the order in which they were added.
---@return security.Policy[]
---@nodiscard
function scope:policies()
  local number = own_number(self, SCOPE, "scope:policies")
  local packed = sure("scope:policies", lent.security_scope_policies(number))
  local found = {}
  for at = 1, #packed, 8 do
    found[#found + 1] = held.object(POLICY, (unpack("<i8", packed, at)))
  end
  return found
end

--- Whether a policy is in it.
---@param one security.Policy|string   or its id in full
---@return boolean
---@nodiscard
function scope:contains(one)
  local number = own_number(self, SCOPE, "scope:contains")
  local id = policy_id(one, "scope:contains")
  return sure("scope:contains", lent.security_scope_contains(number, id))
end

--- Another scope that has a policy as well; needs `security.scope.create` of `with`, and raises
--- where that is denied.
---@param one security.Policy
---@return security.Scope
---@nodiscard
function scope:with(one)
  local number = own_number(self, SCOPE, "scope:with")
  local added = number_of(one, POLICY, "scope:with", "policy")
  return sure("scope:with", made(SCOPE, lent.security_scope_with, number, added))
end

--- Another scope that lacks a policy; needs `security.scope.create` of `without`, and raises where
--- that is denied.
---@param one security.Policy|string   or its id in full
---@return security.Scope
---@nodiscard
function scope:without(one)
  local number = own_number(self, SCOPE, "scope:without")
  local id = policy_id(one, "scope:without")
  return sure("scope:without", made(SCOPE, lent.security_scope_without, number, id))
end

-- The module -------------------------------------------------------------------------------------

--- In whose name the script runs.
---@return security.Actor|nil actor   nil: in nobody's
---@nodiscard
function security.actor()
  return sure("security.actor", made(ACTOR, lent.security_actor))
end

--- The policies that hold for what the script does.
---@return security.Scope|nil scope   nil: there are none
---@nodiscard
function security.scope()
  return sure("security.scope", made(SCOPE, lent.security_scope))
end

local function can(action, resource, meta, meant)
  check_case("security.can", action, resource, meta)
  local text = encoded("security.can", meta)
  return sure("security.can", lent.security_can(action, resource, meant, text))
end

--- Whether the script may do something, by what it would be allowed itself. Nothing is logged.
--- To publish it needs both `queue.publish` and `queue.publish.queue`.
---@param action string               one of moonq's, or of your own (moonq.yaml declares those)
---@param resource string             with what: an entry, or whatever your own action is about
---@param meta? table<string, any>    what conditions see as `meta`
---@return boolean
---@nodiscard
function security.can(action, resource, meta)
  local allowed = can(action, resource, meta, resource)
  return allowed
end

--- An actor; needs `security.actor.create` of its id, and raises where that is denied.
---@param id string                   1 to 255 bytes
---@param meta? table<string, any>    what conditions see as `actor.meta`, at most 4 KiB as JSON
---@return security.Actor
---@nodiscard
function security.new_actor(id, meta)
  check.argument("security.new_actor", "id", id, "string")
  check.argument("security.new_actor", "meta", meta, "table|nil")
  local text = encoded("security.new_actor", meta)
  return sure("security.new_actor", made(ACTOR, lent.security_new_actor, id, text))
end

--- A scope of your own; needs `security.scope.create` of `custom`, and raises where that is
--- denied.
---@param policies? security.Policy[]   (default: none, so that it allows nothing)
---@return security.Scope
---@nodiscard
function security.new_scope(policies)
  check.argument("security.new_scope", "policies", policies, "table|nil")
  local packed = {}
  for at = 1, policies and #policies or 0 do
    local name = format("policies[%d]", at)
    packed[at] = pack("<i8", number_of(policies[at], POLICY, "security.new_scope", name))
  end
  return sure("security.new_scope", made(SCOPE, lent.security_new_scope, concat(packed)))
end

--- A policy of the project; needs `security.policy.get` of its id.
---@param id moonq.PolicyId   the id of a `security.policy` entry
---@return security.Policy|nil policy
---@return errors.Error|nil err   NOT_FOUND, PERMISSION_DENIED
---@nodiscard
function security.policy(id)
  check.argument("security.policy", "id", id, "string")
  return made(POLICY, lent.security_policy, id)
end

--- The scope of all policies of a group; needs `security.policy_group.get` of its id.
---@param id string   the id of the group, or its name in the own namespace
---@return security.Scope|nil scope
---@return errors.Error|nil err   NOT_FOUND, PERMISSION_DENIED
---@nodiscard
function security.named_scope(id)
  check.argument("security.named_scope", "id", id, "string")
  return made(SCOPE, lent.security_named_scope, id)
end

-- What an action of one's own is about is no entry, so the host is told both ways to read it.
local function can_by_name(_, full)
  return function(action, resource, meta)
    local allowed = can(action, resource, meta, full(resource))
    return allowed
  end
end

bare_names.takes(security, {
  can = can_by_name,
  policy = bare_names.first,
  named_scope = bare_names.first,
})

return security
