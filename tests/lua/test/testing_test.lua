local crossing = require("host.run.crossing")
local failure = require("host.test.failure")
local test = require("test")
local testing = require("host.test.testing")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

describe("testing.find", function()
  it("finds functions of modules, and nothing else", function()
    test.is_function(testing.find("json", "encode"))
    test.is_nil(testing.find("json", "null"))
    test.is_nil(testing.find("json", "encod"))
    test.is_nil(testing.find("nosuch", "encode"))
  end)
end)

describe("testing.answer", function()
  --- What a stub answers to another state.
  local function answered(fn, ...)
    testing.replace("json", "encode", fn)
    return table.pack(crossing.decode(testing.answer(1, crossing.marked(...))))
  end

  test.after_each(testing.restore)

  it("calls the stub with what has crossed", function()
    eq(
      answered(function(...)
        return select("#", ...), ...
      end, 1, nil, "x"),
      { true, 3, 1, nil, "x", n = 5 }
    )
  end)

  it("tells what the stub raised", function()
    eq(
      answered(function()
        error("no bank", 0)
      end),
      { false, "no bank", n = 2 }
    )
  end)

  it("keeps an assertion that failed for the test itself", function()
    local result = answered(function()
      failure.raise({ code = "T701", text = "expected 1, got 2" })
    end)
    eq(result, { false, "T701 expected 1, got 2", n = 2 })
    fails("expected 1, got 2", test.call, "contract:keep", 1)
    test.no_throw(function()
      test.call("contract:keep", 1)
    end)
  end)

  it("keeps what no state can be given for the test itself", function()
    local words = "the stub of json.encode: result.client is a function, which JSON cannot carry"
    local result = answered(function()
      return { client = print }
    end)
    eq(result, { false, words, n = 2 })
    fails(words, test.call, "contract:keep", 1)
  end)

  it("lets a spy remember, and answers nothing", function()
    local spy = { calls = {} }
    testing.replace("json", "encode", print, spy)
    eq(testing.answer(1, crossing.marked(1, 2)), "")
    eq(spy.calls, { { 1, 2 } })
  end)
end)

describe("the virtual clock", function()
  it("goes forward, and back without undoing what has passed", function()
    local before = testing.now()
    testing.advance(90)
    eq(testing.now() - before, 90)
    testing.set_now(before + 100)
    eq(testing.now() - before, 100)
    testing.set_now(before - 3600)
    eq(testing.now() - before, -3600)
  end)
end)

describe("testing.logs", function()
  it("are those of this test, in order", function()
    eq(testing.logs(), {})
    print("one")
    print("two")
    local logs = testing.logs()
    eq({ logs[1].message, logs[2].message }, { "one", "two" })
    test.match(logs[1], { level = "info", entry = "lua/test/testing_test.lua" })
  end)
end)

--- Many consumers run `obey`.
local AS = { consumer = "contract:tasks.consumer" }

describe("testing.call", function()
  it("gives the handler a message", function()
    local told = test.call("contract:obey", { ["do"] = "tell" }, { source = "shop" }, AS)
    test.match(told, { attempt = 1, interruptions = 0, headers = { source = "shop" } })
  end)

  it("answers what the handler returned, or what it raised", function()
    eq({ test.call("contract:obey", { ["do"] = "fail" }, nil, AS) }, { nil, "no luck" })
    local value, err = test.call("contract:obey", { ["do"] = "raise" }, nil, AS)
    test.is_nil(value)
    test.contains(tostring(err), "fell down")
  end)

  each(
    {
      { value = "NaN", says = "result is NaN, which JSON cannot carry" },
      { value = "a function", says = "result is a function, which JSON cannot carry" },
      { value = "a cycle", says = "result.me is result again, and JSON has no cycles" },
      { value = "bytes", says = "result 2 is not valid UTF-8 (byte 1)" },
    },
    "says what of a result JSON cannot carry: {value}",
    function(row)
      local order = { ["do"] = "return", what = row.value }
      fails("test.call: contract:obey: " .. row.says, test.call, "contract:obey", order, nil, AS)
      eq(test.verdict("contract:obey", order, nil, AS), { verdict = "ack" })
    end
  )
  it("does as the consumer does that is named", function()
    local publish = { ["do"] = "publish", to = "contract:morgue", body = 1 }
    test.no_error(test.call("contract:obey", publish, nil, AS))
    local _, err =
      test.call("contract:obey", publish, nil, { consumer = "contract:guarded.consumer" })
    test.error_kind(err, errors.PERMISSION_DENIED)
  end)

  it("asks which consumer is meant, where there are several", function()
    fails("contract:guarded.consumer", test.call, "contract:obey", {})
    fails("{ consumer = ID }", test.verdict, "contract:obey", {})
    local other = { consumer = "contract:raw.consumer" }
    fails("name one of contract:tasks.consumer", test.call, "contract:obey", {}, nil, other)
    fails("unknown option 'as'", test.call, "contract:obey", {}, nil, { as = "x" })
  end)

  it("stops a handler whose virtual time is over", function()
    local value, err = test.call("contract:obey", { ["do"] = "spin" }, nil, AS)
    test.is_nil(value)
    test.error_kind(err, errors.TIMEOUT)
    eq(test.clock.now() - 1767225600, 60)
  end)

  it("refuses what cannot be a body", function()
    fails("test.call: body.cb is a function", test.call, "contract:keep", { cb = print })
  end)
end)

describe("testing.verdict", function()
  it("says what the queue of a function would do with the message", function()
    eq(test.verdict("contract:obey", { ["do"] = "nothing" }, nil, AS), { verdict = "ack" })
    eq(test.verdict("contract:obey", { ["do"] = "fail" }, nil, AS), {
      verdict = "retry",
      delay = 2.0,
      error = { kind = "UNKNOWN", message = "no luck" },
    })
    eq(test.verdict("contract:obey", { ["do"] = "reject", text = "stolen" }, nil, AS), {
      verdict = "dead",
      reason = "rejected",
      error = { kind = "UNKNOWN", message = "stolen" },
    })
  end)

  it("asks the handler's message first", function()
    eq(test.verdict("contract:obey", { ["do"] = "snooze", delay = 5 }, nil, AS).delay, 5.0)
    eq(test.verdict("contract:obey", { ["do"] = "ack_then_fail" }, nil, AS), { verdict = "ack" })
    eq(test.verdict("contract:obey", { ["do"] = "retry", delay = "7s" }, nil, AS).delay, 7.0)
  end)

  it("tells of a limit as the queue would", function()
    test.match(test.verdict("contract:obey", { ["do"] = "spin" }, nil, AS), {
      verdict = "retry",
      error = { kind = "TIMEOUT", message = "stopped after 1m (timeout)" },
    })
  end)

  it("refuses what cannot be a body, and what does not exist", function()
    fails("test.verdict: body.cb is a function", test.verdict, "contract:keep", { cb = print })
    fails("nosuch", test.verdict, "contract:nosuch", 1)
  end)
end)

describe("testing.allow", function()
  it("knows the modules there are", function()
    test.no_throw(function()
      test.allow("json")
    end)
    fails("there is no module 'nosuch'", test.allow, "nosuch")
  end)
end)
