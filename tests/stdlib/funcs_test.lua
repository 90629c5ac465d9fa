local errors = require("errors")
local funcs = require("funcs")
local security = require("security")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("funcs.call", function()
  it("says that there is no such function", function()
    local result, err = funcs.call("app:nobody")
    test.is_nil(result)
    eq(err:kind(), errors.NOT_FOUND)
  end)

  it("names the argument that cannot be passed", function()
    local _, err = funcs.call("app:nobody", 1, { cb = print })
    test.contains(tostring(err), "funcs.call: argument 2.cb is a function")
  end)

  it("refuses what is no id", function()
    fails("funcs.call: id: string expected, got nil", funcs.call)
  end)
end)

local WORLD = [[
  local funcs, queue, security = require("funcs"), require("queue"), require("security")
  local _ = { funcs, queue, security }
]]

local function scope_of(names)
  local policies = {}
  for index, name in ipairs(names) do
    policies[index] = security.policy("secure:" .. name)
  end
  return security.new_scope(policies)
end

--- Runs Lua text in the name of clerk, within a scope of these policies.
local function run(names, code)
  local by = { actor = security.new_actor("clerk"), scope = scope_of(names) }
  return test.call("secure:does", WORLD .. code, nil, by)
end

describe("funcs.new", function()
  local ADA = security.new_actor("user:ada")

  it("calls as funcs.call does", function()
    local found = run(
      { "calls_all" },
      [[
      local one, none, list = funcs.new():call("does", "return 1, nil, { 2 }")
      return { one, none == nil, list }
    ]]
    )
    eq(found, { 1, true, { 2 } })
  end)

  it("calls in the name of an actor, in whose name that calls others", function()
    local found = run(
      { "calls_all", "changes", "makes_actors" },
      [[
      local as_tom = funcs.new():with_actor(security.new_actor("user:tom"))
      local code = "return require('security').actor():id()"
      local first, second = as_tom:call("does", code), as_tom:call("secure:calls", code)
      return { first, second, (funcs.call("does", code)) }
    ]]
    )
    eq(found, { "user:tom", "user:tom", "clerk" })
  end)

  it("calls within a scope, and leaves the caller its own", function()
    local found = run(
      { "all" },
      [[
      local within = funcs.new():with_scope(security.named_scope("clerks"))
      local asks = "return require('queue').info('bills') ~= nil"
      local refused = select(2, within:call("does", asks))
      return { tostring(refused or within:call("does", asks)), queue.info("bills") ~= nil }
    ]]
    )
    eq(found, { "false", true })
  end)

  it("changes nothing but makes another one", function()
    local found = run(
      { "all" },
      [[
      local first = funcs.new()
      local second = first:with_actor(security.new_actor("user:tom"))
      local third = second:with_scope(security.named_scope("callers"))
      local code = "return require('security').actor():id()"
      return { first:call("does", code), second:call("does", code), third:call("does", code) }
    ]]
    )
    eq(found, { "clerk", "user:tom", "user:tom" })
  end)

  it("binds what is called even where the caller is nobody", function()
    local found = test.call("secure:free_does", WORLD .. [[
      local within = funcs.new():with_scope(security.named_scope("callers"))
      local code = "local q, err = require('queue').info('bills') return q, err"
      local _, err = within:call("does", code)
      return { queue.info("bills") ~= nil, security.actor() == nil, tostring(err) }
    ]])
    eq({ found[1], found[2] }, { true, true })
    test.contains(found[3], "secure:free_does may not queue.info secure:bills")
  end)

  it("says why it may not where a script goes on all the same", function()
    local _, err = run(
      { "calls_all" },
      [[
      return funcs.new():with_actor(security.actor()):with_scope(security.scope()):call("does", "")
    ]]
    )
    test.contains(tostring(err), "the call before it was refused: clerk may not funcs.security")
  end)

  it("refuses what is no actor or no scope", function()
    local caller = funcs.new()
    fails("with_actor: actor: security.actor expected, got nil", caller.with_actor, caller)
    fails("security.actor expected, got 'clerk'", caller.with_actor, caller, "clerk")
    fails("security.actor expected, got table", caller.with_actor, caller, security.scope())
    fails("security.scope expected, got table", caller.with_scope, caller, ADA)
    fails("security.scope expected, got nil", caller.with_scope, caller, nil)
    fails("caller:call() is called with a colon", caller.call, {}, "does")
    fails("caller:call: id: string expected", caller.call, caller)
    fails("cannot be changed", function()
      caller.actor = ADA
    end)
  end)
end)

describe("no script gets more than policies give it", function()
  --- What a text in a called function is told, who may change names but make no scope.
  local CHANGES = { "calls_all", "changes" }

  it("by forging a scope", function()
    local _, err = run(
      CHANGES,
      [[
      local meta = { __metatable = "security.scope", __index = security.scope() }
      local forged = setmetatable({}, meta)
      return funcs.new():with_scope(forged):call("does", "return 1")
    ]]
    )
    test.contains(tostring(err), "security.scope expected, got table")
  end)

  it("by handing an object to a function that may not make one", function()
    local found = run(
      { "all" },
      [[
      local within = funcs.new():with_scope(security.named_scope("callers"))
      local code = "local object = ..."
        .. " return pcall(function() return object:contains('secure:all') end)"
      return { within:call("does", code, security.scope()) }
    ]]
    )
    eq(found[1], false)
  end)

  it("by calling for a widening that it may not make", function()
    for _, code in ipairs({
      "security.scope():without('secure:no_bills')",
      "security.scope():with(security.scope():policies()[1])",
      "security.new_scope(security.scope():policies())",
      "security.new_actor('user:boss')",
      "assert(security.named_scope('bosses'))",
      "assert(security.policy('all'))",
    }) do
      local _, err = run({ "calls_all", "changes", "no_bills" }, "return " .. code)
      test.error_kind(err, errors.PERMISSION_DENIED)
    end
  end)

  it("by a scope that its state kept from a call with more rights", function()
    local looks = "return funcs.call('keeps', 'look')"
    eq(run({ "all" }, looks), true)
    for _, what in ipairs({ "look", "again", "call" }) do
      local code = ("return funcs.call('keeps', '%s', 'return 1')"):format(what)
      local value, err = run(CHANGES, code)
      test.is_nil(value)
      test.contains(tostring(err), "this scope was made in the name of another actor or scope")
    end
  end)

  it("by a caller that was made with the right to, once the right is gone", function()
    eq(run({ "all" }, "return funcs.call('keeps', 'call', 'return 1')"), 1)
    local _, err = run({ "calls_all" }, "return funcs.call('keeps', 'call', 'return 1')")
    test.contains(tostring(err), "clerk may not funcs.security security")
  end)

  it("by asking for the function that it may not call itself", function()
    local _, err = run(
      { "changes", "gets_groups" },
      [[
      return funcs.new():with_scope(security.named_scope("clerks")):call("does", "return 1")
    ]]
    )
    test.contains(tostring(err), "clerk may not funcs.call secure:does")
  end)
end)
