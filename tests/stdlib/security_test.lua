local errors = require("errors")
local security = require("security")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

local ADA = security.new_actor("user:ada", { role = "buyer", tags = { "a", "b" } })

local function scope_of(...)
  local policies = {}
  for index, name in ipairs({ ... }) do
    policies[index] = security.policy("secure:" .. name)
  end
  return security.new_scope(policies)
end

--- Runs Lua text as ADA within a scope of these policies.
local function within(names, code)
  local scope = scope_of(table.unpack(names))
  return test.call("secure:does", code, nil, { actor = ADA, scope = scope })
end

local REQUIRES = [[
  local env, funcs, queue = require("env"), require("funcs"), require("queue")
  local registry, security, store = require("registry"), require("security"), require("store")
  local _ = { env, funcs, queue, registry, security, store }
]]

--- The same with all modules at hand.
local function run(names, code)
  return within(names, REQUIRES .. code)
end

--- That what was called was denied, in these words.
local function denied(words, value, err)
  test.is_nil(value)
  test.error_kind(err, errors.PERMISSION_DENIED)
  test.contains(tostring(err), words)
end

describe("security.actor and security.scope", function()
  it("are those that the script runs as", function()
    local id, meta, policies = run(
      { "mails", "no_bills" },
      [[
      local ids = {}
      for index, policy in ipairs(security.scope():policies()) do
        ids[index] = policy:id()
      end
      return security.actor():id(), security.actor():meta(), ids
    ]]
    )
    eq(id, "user:ada")
    eq(meta, { role = "buyer", tags = { "a", "b" } })
    eq(policies, { "secure:mails", "secure:no_bills" })
  end)

  it("are those of the consumer", function()
    local code = REQUIRES
      .. "return { security.actor():id(), security.scope():contains('secure:mails') }"
    eq(test.call("secure:does", code), { "clerk", true })
  end)

  it("are inherited by what is called", function()
    local scope = scope_of("calls_all")
    local code = REQUIRES .. "return { security.actor():id(), #security.scope():policies() }"
    eq(test.call("secure:calls", code, nil, { actor = ADA, scope = scope }), { "user:ada", 1 })
  end)

  it("are the same objects every time", function()
    test.is(security.actor(), security.actor())
    test.is(security.scope(), security.scope())
    test.is(security.policy("secure:mails"), security.policy("secure:mails"))
  end)

  it("keep what the environment fills in", function()
    eq(test.call("secure:does", REQUIRES .. "return security.actor():meta().key"), "none")
  end)
end)

describe("an actor", function()
  it("hands out its meta as a copy", function()
    ADA:meta().role = "boss"
    ADA:meta().tags[1] = "z"
    eq(ADA:meta(), { role = "buyer", tags = { "a", "b" } })
  end)

  it("keeps what it was made of", function()
    local meta = { role = "temp" }
    local actor = security.new_actor("user:tom", meta)
    meta.role = "boss"
    eq(actor:meta(), { role = "temp" })
    eq(security.new_actor("user:tom"):meta(), {})
  end)

  each(
    {
      { says = "id: string expected, got nil" },
      { "", says = "the id of an actor has 1 to 255 bytes, not 0" },
      { ("x"):rep(256), says = "1 to 255 bytes, not 256" },
      { "x", 7, says = "meta: table or nil expected, got number" },
      { "x", { f = print }, says = "meta.f is a function" },
      { "x", { 1, 2 }, says = "names and values expected" },
      { "x", { text = ("x"):rep(5000) }, says = "more than 4096" },
    },
    "is refused: {says}",
    function(row)
      local err = fails("security.new_actor: ", function()
        local _ = security.new_actor(row[1], row[2])
      end)
      test.contains(tostring(err), row.says)
      test.contains(tostring(err), "_test.lua:")
    end
  )
end)

describe("a scope", function()
  it("is never changed", function()
    local empty = security.new_scope()
    local open = empty:with(security.policy("secure:all"))
    local shut = open:with(security.policy("secure:no_bills"))
    local again = shut:without("secure:no_bills")
    local effects = {}
    for index, scope in ipairs({ empty, open, shut, again }) do
      effects[index] = scope:evaluate(ADA, "queue.info", "secure:bills")
    end
    eq(effects, { "undefined", "allow", "deny", "allow" })
  end)

  it("tells what is in it", function()
    local scope = scope_of("mails", "no_bills")
    eq(scope:contains("secure:mails"), true)
    eq(scope:contains(security.policy("secure:no_bills")), true)
    eq(scope:contains("secure:all"), false)
    eq(#scope:without(security.policy("secure:mails")):policies(), 1)
  end)

  it("asks conditions about meta and the actor", function()
    local scope = security.named_scope("secure:buyers")
    local mine, theirs = { owner = "user:ada" }, { owner = "user:bob" }
    eq(scope:evaluate(ADA, "orders.refund", "order:7", mine), "allow")
    eq(scope:evaluate(ADA, "orders.refund", "order:7", theirs), "undefined")
    eq(scope:evaluate(ADA, "orders.refund", "order:7"), "undefined")
    local policy = security.policy("secure:own_orders")
    eq(policy:evaluate(ADA, "orders.refund", "order:7", mine), "allow")
    eq(policy:evaluate(ADA, "orders.refund", "order:7", theirs), "undefined")
  end)

  it("knows the other spellings of an action", function()
    local scope = scope_of("gets_groups", "all")
    eq(scope:evaluate(ADA, "store.key.get", "secure:notes"), "allow")
  end)

  it("takes names of entries that only one has", function()
    eq(scope_of("no_bills", "all"):evaluate(ADA, "queue.info", "bills"), "deny")
  end)

  local scope, policy = scope_of("mails"), security.policy("secure:mails")
  each(
    {
      { scope.contains, "mails", says = "a policy or its full id expected, got 'mails'" },
      { scope.without, "mails", says = "a policy or its full id expected, got 'mails'" },
      { scope.with, "secure:mails", says = "policy expected, got 'secure:mails'" },
      { scope.with, ADA, says = "policy expected, got table" },
      { scope.evaluate, "user:ada", "a", "b", says = "actor expected, got 'user:ada'" },
      { scope.evaluate, scope, "a", "b", says = "actor expected, got table" },
      { scope.evaluate, ADA, nil, "b", says = "action: string expected, got nil" },
      { scope.evaluate, ADA, "a", 7, says = "resource: string expected, got number" },
      { scope.evaluate, ADA, "a", "b", 7, says = "meta: table expected, got number" },
    },
    "is refused: {says}",
    function(row)
      local err = fails(row.says, function()
        local _ = row[1](scope, table.unpack(row, 2, 5))
      end)
      test.contains(tostring(err), "_test.lua:")
    end
  )

  it("is called with a colon, and by nothing that looks like one", function()
    local forged = setmetatable({}, { __index = scope, __metatable = getmetatable(scope) })
    for _, self in ipairs({ forged, ADA, policy, {}, "scope" }) do
      fails("it is called with a colon, on a security.scope", scope.contains, self, "secure:mails")
    end
    fails("it is called with a colon, on a security.actor", ADA.id, scope)
    fails("it is called with a colon, on a security.policy", policy.id, ADA)
  end)

  it("is locked", function()
    for _, object in ipairs({ ADA, scope, policy }) do
      fails("cannot be changed", function()
        object.id = "x"
      end)
      fails("read-only", rawset, object, 1, 2)
      eq(next(object), nil)
      test.is_string(getmetatable(object))
      fails("protected metatable", setmetatable, object, {})
    end
  end)

  it("takes policies only", function()
    fails("policies[2]: policy expected, got 'secure:mails'", security.new_scope, {
      policy,
      "secure:mails",
    })
    fails("policies: table or nil expected", security.new_scope, "secure:mails")
  end)
end)

describe("security.can", function()
  it("says what a call would", function()
    local said = run(
      { "mails", "no_bills", "all" },
      [[
      local said = {}
      for _, name in ipairs({ "mail", "secure:mail", "bills", "secure:bills" }) do
        said[name] = security.can("queue.info", name) == (queue.info(name) ~= nil)
          and security.can("queue.info", name)
      end
      return said
    ]]
    )
    eq(said, { mail = true, ["secure:mail"] = true, bills = false, ["secure:bills"] = false })
  end)

  it("is silent", function()
    eq(run({}, "return security.can('queue.info', 'mail')"), false)
    eq(#test.logs(), 0)
  end)

  it("leaves names alone that an action of one's own is about", function()
    eq(run({ "all", "own_orders" }, "return security.can('orders.see', 'order:1')"), true)
    local code = "return security.can('orders.see', 'order:1', { owner = 'user:ada' })"
    eq(run({ "own_orders" }, code), true)
  end)

  it("allows what nobody forbids", function()
    eq(security.can("queue.info", "secure:bills"), true)
  end)

  it("is refused what makes no question", function()
    fails("security.can: action: string expected", security.can)
    fails("security.can: resource: string expected", security.can, "queue.info")
    fails("security.can: meta.f is a function", security.can, "a", "b", { f = print })
  end)
end)

describe("what a script needs", function()
  each(
    {
      { needs = "makes_actors", code = "security.new_actor('user:tom', { role = 'x' })" },
      { needs = "gets_policies", code = "security.policy('mails')" },
      { needs = "gets_groups", code = "security.named_scope('clerks')" },
      { needs = "customs", code = "security.new_scope()" },
      { needs = "withs", code = "security.scope():with(security.scope():policies()[1])" },
      { needs = "withouts", code = "security.scope():without('secure:withouts')" },
      { needs = "changes", code = "funcs.new():with_actor(security.actor())" },
      { needs = "changes", code = "funcs.new():with_scope(security.scope())" },
    },
    "is {needs}, for {code}",
    function(row)
      eq(run({ row.needs }, ("return %s ~= nil"):format(row.code)), true)
      local others =
        { "makes_actors", "gets_policies", "gets_groups", "customs", "withs", "withouts" }
      others[#others + 1] = "changes"
      local without = {}
      for _, name in ipairs(others) do
        if name ~= row.needs then
          without[#without + 1] = name
        end
      end
      denied("user:ada may not ", run(without, "return " .. row.code))
    end
  )

  it("is told as it is told of everything", function()
    local _, err = run({ "mails" }, "return security.policy('mails')")
    test.contains(tostring(err), "user:ada may not security.policy.get secure:mails: no policy")
    test.logged("warn", "denied: user:ada may not security.policy.get secure:mails")
  end)

  it("is answered by what looks, and raised by what makes", function()
    local looked = [[
      local policy, err = security.policy("mails")
      local scope, other = security.named_scope("clerks")
      return policy == nil and scope == nil and err:kind() == other:kind() and err:kind()
    ]]
    eq(run({}, looked), errors.PERMISSION_DENIED)
    for _, code in ipairs({
      "security.new_actor('user:tom')",
      "security.new_scope({})",
      "security.scope():with(security.scope():policies()[1])",
      "security.scope():without('secure:mails')",
    }) do
      local raises = "local ok, err = pcall(function() return %s end) return { ok, err:kind() }"
      eq(run({ "mails" }, raises:format(code)), { false, errors.PERMISSION_DENIED })
    end
  end)

  it("is about the id and the meta of the actor that is made", function()
    denied(
      "may not security.actor.create boss",
      run({ "makes_actors" }, "return security.new_actor('boss')")
    )
    denied(
      "secure:makes_no_bosses denies it",
      run({ "all", "makes_no_bosses" }, "return security.new_actor('user:x', { role = 'boss' })")
    )
  end)

  each(
    {
      { code = "security.policy('nope')", says = "nope" },
      { code = "security.named_scope('clerk')", says = "did you mean `secure:clerks`?" },
    },
    "is found before it is asked for: {code}",
    function(row)
      local value, err = run({}, "return " .. row.code)
      test.is_nil(value)
      test.error_kind(err, errors.NOT_FOUND)
      test.contains(tostring(err), row.says)
    end
  )
end)

describe("objects", function()
  it("are given back when nobody holds them", function()
    local id
    for number = 1, 1000 do
      id = security.new_actor("user:" .. number):id()
    end
    eq(id, "user:1000")
    eq(ADA:id(), "user:ada")
  end)

  it("are so many at once, and no more", function()
    local code = [[
      local kept = {}
      for number = 1, 300 do
        kept[number] = security.new_actor("user:" .. number)
      end
      return #kept
    ]]
    local value, err = run({ "makes_actors" }, code)
    test.is_nil(value)
    test.contains(tostring(err), "256 actors and scopes are held already: keep fewer of them")
  end)

  it("make no JSON with anything of the host's in it", function()
    local json = require("json")
    eq(json.encode(ADA), "{}")
  end)
end)
