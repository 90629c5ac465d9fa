local errors = require("errors")
local json = require("json")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

--- What an assertion says when it fails, without its code; fails the test if it holds.
local function said(name, ...)
  local arguments = table.pack(...)
  local raised = test.throws(function()
    test[name](table.unpack(arguments, 1, arguments.n))
  end, nil, name .. " holds, which it must not")
  return raised.message, raised
end

local function raise()
  error("card refused", 0)
end

local function answer()
  return 1, 2
end

local TIMEOUT = errors.new({ kind = errors.TIMEOUT, message = "down" })
local FINAL = errors.new({ message = "no such card", retryable = false })
local NAN = 0 / 0
local LIST = { 1, { 2 } }

-- What fails, and in which words. `n` is the number of arguments where the last ones are nil.
local FAILURES = {
  { "eq", 4, 8, says = "expected 8, got 4" },
  { "eq", nil, 8, says = "expected 8, got nil" },
  { "eq", "4s", "8s", says = 'expected "8s", got "4s"' },
  { "eq", "25.0", 25.0, says = 'expected 25.0, got "25.0" (same text, different type)' },
  { "eq", 1, true, says = "expected true, got 1" },
  { "eq", {}, json.null, says = "expected json.null, got {}" },
  { "eq", { 1, 2 }, nil, n = 2, says = "expected nil, got { 1, 2 }" },
  { "eq", { 1, 2 }, { 1, 3 }, says = "expected equal tables, 1 difference" },
  { "eq", { 1, 2 }, { 2, 1 }, says = "expected equal tables, 2 differences" },
  { "eq", "a\nb", "a\nc", says = "expected equal texts" },
  {
    "eq",
    ("ab"):rep(600) .. "1",
    ("ab"):rep(600) .. "2",
    says = "expected equal texts; they differ from byte 1201 on",
  },
  { "eq", 4, 8, "the wait", says = "the wait: expected 8, got 4" },
  { "neq", { 1 }, { 1.0 }, says = "expected anything but { 1.0 }" },
  {
    "is",
    { 1 },
    { 1 },
    says = "expected the same object, got another with equal content: { 1 }",
  },
  { "is", 1, 2, says = "expected 2 itself, got 1" },
  { "is_not", LIST, LIST, says = "expected another object than { 1, { 2 } }" },
  { "near", 1.3, 1.0, 0.1, says = "expected 1.0 within 0.1, got 1.3 (off by 0.3)" },
  { "near", NAN, 1.0, 0.1, says = "expected 1.0 within 0.1, got 0/0" },
  { "near", 1, 2, says = "expected 2 within 1e-09, got 1 (off by 1)" },
  { "near", nil, 1.0, says = "expected a number near 1.0, got nil" },
  {
    "match",
    { id = 1 },
    { id = 2 },
    says = "expected a table with the given fields, 1 difference",
  },
  { "match", nil, { id = 2 }, says = "expected a table with { id = 2 }, got nil" },
  { "ok", false, says = "expected something true, got false" },
  { "ok", nil, n = 1, says = "expected something true, got nil" },
  { "fail", "not here", says = "not here" },
  { "fail", n = 0, says = "told to fail" },
  { "is_nil", false, says = "expected nil, got false" },
  { "not_nil", nil, n = 1, says = "expected a value, got nil" },
  { "is_true", 1, says = "expected true, got 1" },
  { "is_false", nil, n = 1, says = "expected false, got nil" },
  { "is_string", 1, says = "expected a string, got 1" },
  { "is_number", "1", says = 'expected a number, got "1"' },
  { "is_table", "{}", says = 'expected a table, got "{}"' },
  { "is_function", {}, says = "expected a function, got {}" },
  { "is_boolean", nil, n = 1, says = "expected a boolean, got nil" },
  { "contains", "abc", "d", says = 'expected "abc" to contain "d"' },
  { "contains", "a.c", ".d", says = 'expected "a.c" to contain ".d"' },
  { "contains", LIST, { 3 }, says = "expected { 1, { 2 } } to contain { 3 }" },
  { "contains", nil, 3, says = "expected a text or table that contains 3, got nil" },
  { "contains", "abc", 3, says = 'expected a text or table that contains 3, got "abc"' },
  { "matches", "abc", "^%d", says = 'expected "abc" to match "^%d"' },
  { "matches", 12, "^%d", says = 'expected a text that matches "^%d", got 12' },
  { "has_key", { a = 1, b = 2 }, "c", says = 'expected the key "c" among "a", "b"' },
  { "has_key", "abc", "c", says = 'expected a table with the key "c", got "abc"' },
  {
    "one_of",
    0,
    { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 },
    says = "expected one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, got 0",
  },
  {
    "one_of",
    0,
    { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 },
    says = "expected one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …, got 0",
  },
  { "eq", "a", "a\n", says = "expected equal texts" },
  { "eq", "a\n", "a", says = "expected equal texts" },
  { "has_key", {}, "c", says = 'expected the key "c" in an empty table' },
  { "has_key", nil, "c", says = 'expected a table with the key "c", got nil' },
  { "len", { 1, 2 }, 3, says = "expected length 3, got 2: { 1, 2 }" },
  { "len", "abc", 4, says = 'expected length 4, got 3: "abc"' },
  { "len", 4, 4, says = "expected a text or table of length 4, got 4" },
  { "gt", 3, 3, says = "expected more than 3, got 3" },
  { "gte", 2, 3, says = "expected at least 3, got 2" },
  { "lt", 3, 3, says = "expected less than 3, got 3" },
  { "lte", 4, 3, says = "expected at most 3, got 4" },
  { "gt", nil, 3, says = "expected more than 3, got nil" },
  { "gt", "4", 3, says = 'expected more than 3, got "4"' },
  { "one_of", 4, { 1, 2 }, says = "expected one of 1, 2, got 4" },
  { "throws", answer, says = "expected an error, but it returned 1" },
  { "throws", function() end, says = "expected an error, but none was raised" },
  { "throws", raise, "^bank", says = 'expected an error that matches "^bank", got card refused' },
  { "no_throw", raise, says = "expected no error, got card refused" },
  { "fails", "bank", raise, says = 'expected an error that contains "bank", got card refused' },
  { "fails", "bank", answer, says = "expected an error, but it returned 1" },
  { "has_error", 1, nil, n = 2, says = "expected nil and an error, got 1 and no error" },
  { "has_error", 1, TIMEOUT, says = "expected nil beside the error, got 1" },
  { "no_error", nil, TIMEOUT, says = "expected no error, got TIMEOUT: down" },
  { "no_error", nil, { code = 7 }, says = "expected no error, got { code = 7 }" },
  { "error_kind", nil, "INVALID", says = "expected an error of kind INVALID, got no error" },
  {
    "error_kind",
    TIMEOUT,
    "INVALID",
    says = "expected an error of kind INVALID, got TIMEOUT: down",
  },
  {
    "error_kind",
    "text",
    "INVALID",
    says = "expected an error of kind INVALID, got UNKNOWN: text",
  },
  { "retryable", nil, n = 1, says = "expected a retryable error, got no error" },
  { "retryable", FINAL, says = "expected a retryable error, but it says false: no such card" },
  { "retryable", "text", says = "expected a retryable error, but it does not say: text" },
}

for _, case in ipairs(FAILURES) do
  case.n = case.n or #case - 1
end

describe("a failed assertion", function()
  each(FAILURES, "of {1} says: {says}", function(case)
    eq(said(case[1], table.unpack(case, 2, case.n + 1)), case.says)
  end)

  it("carries its code", function()
    local codes = {}
    local samples = { eq = { 1, 2 }, ok = { false }, throws = { answer }, fail = {} }
    for name, arguments in pairs(samples) do
      local _, raised = said(name, table.unpack(arguments))
      codes[name] = raised.code
    end
    eq(codes, { eq = "T701", ok = "T703", throws = "T704", fail = "T706" })
  end)

  it("carries the line of the script that made it", function()
    local err = test.throws(function()
      error("here")
    end)
    local line = tonumber(err:match(":(%d+):"))
    local raised = test.throws(function()
      test.eq(1, 2)
    end)
    test.matches(raised.source, "test_test.lua$")
    eq(raised.line, line + 4)
  end)

  it("puts the differences of tables below, and then both tables line by line", function()
    local _, raised = said("eq", { waits = { "0s", "4s" }, note = ("x"):rep(60) }, {
      waits = { "0s", "8s" },
      note = ("x"):rep(60),
    })
    eq(raised.diff, {
      'at waits[2]   got "4s"   expected "8s"',
      "  …",
      ('    note = "%s",'):format(("x"):rep(60)),
      '-   waits = { "0s", "8s" },',
      '+   waits = { "0s", "4s" },',
      "  }",
    })
  end)

  it("compares texts line by line", function()
    local _, raised = said("eq", "a\nb", "a\nc")
    eq(raised.diff, { "  a", "- c", "+ b" })
  end)

  it("prints as a whole", function()
    local _, raised = said("match", { id = 1, rest = 2 }, { id = 2 })
    eq(
      tostring(raised),
      "T701 expected a table with the given fields, 1 difference\nat id   got 1   expected 2"
    )
  end)

  it("hides its metatable", function()
    local _, raised = said("eq", 1, 2)
    eq(type(getmetatable(raised)), "string")
  end)
end)

-- What holds. The tables are the arguments.
local HOLDS = {
  { "eq", { 1, { a = 2 } }, { 1, { a = 2.0 } } },
  { "eq", NAN, NAN },
  { "neq", { 1 }, { 2 } },
  { "is", LIST, LIST },
  { "is_not", LIST, { 1, { 2 } } },
  { "near", 0.1 + 0.2, 0.3 },
  { "near", 1.5, 1.0, 0.5 },
  { "near", math.huge, math.huge },
  { "match", { a = { b = 1, c = 2 }, d = 3 }, { a = { b = 1 } } },
  { "match", TIMEOUT, { kind = "TIMEOUT" } },
  { "ok", 0 },
  { "is_nil", nil },
  { "not_nil", false },
  { "is_true", true },
  { "is_false", false },
  { "is_string", "" },
  { "is_number", 0 },
  { "is_table", {} },
  { "is_function", print },
  { "is_boolean", false },
  { "contains", "a+b", "+" },
  { "contains", LIST, { 2 } },
  { "contains", { key = "value" }, "value" },
  { "matches", "abc", "^a.c$" },
  { "has_key", { a = false }, "a" },
  { "has_key", test, "eq" },
  { "len", "abc", 3 },
  { "len", {}, 0 },
  { "gt", 2, 1 },
  { "gte", 1, 1 },
  { "lt", "a", "b" },
  { "lte", 1, 1 },
  { "one_of", { 2 }, { 1, { 2 } } },
  { "throws", raise, "refused$" },
  { "no_throw", answer },
  { "fails", "card", raise },
  { "has_error", nil, "text" },
  { "no_error", 1, nil },
  { "error_kind", TIMEOUT, "TIMEOUT" },
  { "error_kind", "text", "UNKNOWN" },
  { "retryable", TIMEOUT },
}

describe("an assertion that holds", function()
  each(HOLDS, "is silent: {1} {2}", function(case)
    test[case[1]](case[2], case[3], case[4])
  end)

  it("answers what it looked at, where that helps", function()
    eq({ test.ok(7), test.not_nil(7), test.no_error(7, nil) }, { 7, 7, 7 })
    eq({ test.no_throw(answer) }, { 1, 2 })
    eq(test.has_error(nil, "lost"), "lost")
    eq(test.throws(raise), "card refused")
    eq(test.fails("card", raise), "card refused")
  end)

  it("passes arguments on to the function that must fail", function()
    test.fails("a and b", function(a, b)
      error(a .. " and " .. b)
    end, "a", "b")
  end)

  it("looks into the text of an error that is an object", function()
    test.fails("down", error, TIMEOUT)
    test.throws(function()
      error(TIMEOUT)
    end, "^down$")
  end)
end)

describe("an assertion in wrong hands", function()
  each(
    {
      { "test.throws: function expected, got nil; pass the function itself", "throws" },
      { "test.no_throw: function expected, got number; pass", "no_throw", 1 },
      { "test.fails: string expected, got function", "fails", raise },
      { "test.fails: function expected, got nil", "fails", "text" },
      {
        "test.match: table expected, got string; test.matches looks for a pattern",
        "match",
        "abc",
        "%a",
      },
      { "test.matches: string expected, got table", "matches", "abc", {} },
      { "test.one_of: table expected, got number", "one_of", 1, 2 },
      {
        "test.error_kind: unknown kind 'TIMOUT', did you mean 'TIMEOUT'?",
        "error_kind",
        TIMEOUT,
        "TIMOUT",
      },
      { "test.run_cases: function expected, got nil", "run_cases" },
      { "malformed pattern", "matches", "abc", "%" },
      { "malformed pattern", "throws", raise, "[" },
      { "pattern too complex", "matches", ("a"):rep(5000), ("a*"):rep(60) .. "b" },
    },
    "says: {1}",
    function(case)
      local err = fails(case[1], function()
        test[case[2]](case[3], case[4])
      end)
      test.matches(err, "test_test.lua:%d+: ")
    end
  )
end)

describe("test.run_cases", function()
  it("makes a function that declares the cases", function()
    local declared = 0
    local run = test.run_cases(function()
      declared = declared + 1
    end)
    eq(declared, 0)
    run()
    eq(declared, 1)
  end)
end)

describe("test.spec and test.context", function()
  it("are other names of describe", function()
    test.is(test.spec, test.describe)
    test.is(test.context, test.describe)
  end)
end)

describe("test.clock", function()
  it("goes only when told to", function()
    test.clock.set(1000)
    eq(test.clock.now(), 1000)
    test.clock.advance("5m")
    test.clock.advance(1.5)
    eq(test.clock.now(), 1301.5)
  end)

  it("refuses what is no duration", function()
    fails("test.clock.advance: ", test.clock.advance, "5 minutes ago")
    fails("test.clock.set: number expected, got string", test.clock.set, "noon")
  end)

  it("cannot be changed", function()
    fails("read-only", function()
      test.clock.now = nil
    end)
  end)
end)

describe("test.eventually", function()
  it("looks again in virtual time until the function is content", function()
    local start, looks = test.clock.now(), 0
    local value = test.eventually(function()
      looks = looks + 1
      return looks == 4 and "done"
    end, { every = "100ms" })
    eq({ value, looks }, { "done", 4 })
    test.near(test.clock.now() - start, 0.3, 1e-6)
  end)

  it("is content when assertions inside it hold at last", function()
    local start = test.clock.now()
    test.eventually(function()
      test.gte(test.clock.now() - start, 0.5)
    end)
  end)

  it("gives up after its time and says what was wrong last", function()
    local start = test.clock.now()
    local message = said("eventually", function()
      test.eq(1, 2)
    end, { within = "2s" })
    eq(message, "not so within 2 s of virtual time: expected 2, got 1")
    test.near(test.clock.now() - start, 2, 0.02)
  end)

  it("says what the function returned", function()
    local message = said("eventually", function()
      return nil
    end)
    test.contains(message, "it returned nil")
  end)

  it("refuses to look without time passing", function()
    fails("option 'every': more than 0 expected", test.eventually, raise, { every = 0 })
  end)
end)

describe("test.stub", function()
  it("replaces a function of a module and remembers its calls", function()
    local spy = test.stub("json", "encode", function(value)
      return "stubbed " .. value
    end)
    eq(require("json").encode(1), "stubbed 1")
    require("json").encode("two", {})
    eq(spy.calls, { { 1 }, { "two", {} } })
  end)

  it("is gone in the next test", function()
    eq(require("json").encode(1), "1")
  end)

  it("answers nothing when it is given nothing", function()
    test.stub("json", "encode")
    eq(select("#", require("json").encode(1)), 0)
  end)

  it("says what it cannot find", function()
    fails("test.stub: no function 'encod' in the module 'json'", test.stub, "json", "encod")
    fails("test.stub: no function 'x' in the module 'nosuch'", test.stub, "nosuch", "x")
    fails("test.stub: string expected, got nil", test.stub, "json")
  end)
end)

describe("test.spy", function()
  it("remembers calls and lets the function do its work", function()
    local spy = test.spy("json", "encode")
    eq(require("json").encode({ 1 }), "[1]")
    eq(spy.calls, { { { 1 } } })
  end)
end)

describe("test.mock", function()
  it("takes module and function in one name", function()
    local spy = test.mock("json.encode", function()
      return "mocked"
    end)
    eq({ require("json").encode(1), #spy.calls }, { "mocked", 1 })
  end)

  it("refuses a name without a dot", function()
    fails("test.mock: a name such as 'bank.charge' expected, got 'json'", test.mock, "json")
  end)
end)

describe("test.snapshot", function()
  it("is content as long as the value stays", function()
    for _ = 1, 2 do
      test.snapshot({ id = 1, tags = { "a" } })
    end
  end)

  it("refuses another value at the same place without a name", function()
    local function take(value)
      test.snapshot(value)
    end
    take(1)
    take(1)
    test.fails("this test has one already; give each a name", take, 2)
  end)

  it("shows what changed", function()
    test.snapshot({ id = 1 }, "order")
    local message, raised = said("snapshot", { id = 2 }, "order")
    eq(message, "differs from its snapshot")
    eq(raised.code, "T707")
    eq(raised.diff, { "- { id = 1 }", "+ { id = 2 }" })
  end)
end)

describe("an assertion about a run", function()
  local run, id

  test.before_each(function()
    local few = test.queue("contract:few")
    id = few:publish({ ["do"] = "fail", text = "bank is down" }, nil, { id = "bad" })
    local to = "contract:morgue"
    few:publish({ ["do"] = "publish", to = to, body = { order = 7 } }, nil, { id = "good" })
    run = few:drain()
  end)

  it("says what it wanted and what there was", function()
    eq((said("acked", run, 2)), 'expected 2 acked, got 1: { "good" }')
    eq((said("nacked", run, 1)), 'expected 1 nacked, got 3: { "bad", "bad", "bad" }')
    eq((said("dead", run, 0)), 'expected 0 dead, got 1: { "bad" }')
    eq((said("acked", run, id)), 'expected bad among the acked, got { "good" }')
  end)

  it("shows what was published instead", function()
    local message, raised = said("published", run, "contract:morgue", { order = 8 })
    eq(message, "expected a message with { order = 8 } published to contract:morgue, got these")
    eq(raised.diff, { "contract:morgue   { order = 7 }" })
    eq(raised.code, "T703")
    eq(
      (said("published", test.queue("contract:few"):drain(), "contract:morgue")),
      "expected a message published to contract:morgue, got none"
    )
  end)

  it("shows what was logged instead", function()
    local message, raised = said("logged", "error", "bank is up")
    eq(message, 'expected "bank is up" in a log of level error, got these')
    test.contains(raised.diff[1], "warn   nack → again in 1s: UNKNOWN bank is down")
  end)

  it("wants a run and a number or an id", function()
    fails("test.acked: table expected, got nil; pass what queue:drain() answers", test.acked)
    fails("test.dead: how many, or a message id, expected; got table", test.dead, run, {})
  end)
end)

describe("queue:drain", function()
  it("says that it cannot come to an end", function()
    local tasks = test.queue("contract:tasks")
    local again = { ["do"] = "snooze", delay = "1s" }
    tasks:publish(again)
    local raised = test.throws(function()
      tasks:drain({ max = 10 })
    end)
    eq(raised.code, "T705")
    test.contains(raised.message, "contract:tasks is not idle after 10 deliveries")
  end)
end)

describe("test.call in the name of others", function()
  local security = require("security")
  local ADA = security.new_actor("user:ada")
  local CLERKS = security.named_scope("secure:clerks")
  local WHO = "local s = require('security') return { s.actor():id(), #s.scope():policies() }"
  local all = #security.scope():policies()

  test.each(
    {
      { by = nil, expected = { "clerk", 3 }, name = "is its consumer without options" },
      { by = { actor = ADA }, expected = { "user:ada", 3 }, name = "keeps the consumer's scope" },
      {
        by = { scope = security.new_scope() },
        expected = { "clerk", 0 },
        name = "keeps its actor",
      },
      { by = { actor = ADA, scope = CLERKS }, expected = { "user:ada", 3 }, name = "takes both" },
      {
        by = { actor = "clerk" },
        expected = { "clerk", 3 },
        name = "takes an actor of the project",
      },
      {
        by = { actor = "secure:served.consumer" },
        expected = { "clerk", 3 },
        name = "takes a service",
      },
    },
    "{name}",
    function(row)
      eq(test.call("secure:does", WHO, nil, row.by), row.expected)
    end
  )

  it("binds a function without a consumer to a scope alone", function()
    eq(test.call("secure:keeps", "look", nil, { scope = CLERKS }), false)
    eq(all, 1)
  end)

  it("judges what somebody else's call leads to", function()
    local code = "return require('queue').publish('bills', 1)"
    eq(test.verdict("secure:does", code, nil, { actor = ADA, scope = CLERKS }).verdict, "dead")
    local bosses = security.named_scope("secure:bosses")
    eq(test.verdict("secure:does", code, nil, { actor = ADA, scope = bosses }).verdict, "ack")
  end)

  it("refuses whom nobody knows, and what is no actor or scope", function()
    fails("nobody acts as 'clrk'", test.call, "secure:does", WHO, nil, { actor = "clrk" })
    fails("did you mean `clerk`?", test.call, "secure:does", WHO, nil, { actor = "clrk" })
    fails("a security.actor expected", test.call, "secure:does", WHO, nil, { actor = CLERKS })
    fails("a security.scope expected", test.call, "secure:does", WHO, nil, { scope = ADA })
    fails("unknown option 'as'", test.call, "secure:does", WHO, nil, { as = ADA })
  end)
end)
