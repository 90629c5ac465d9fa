local api = require("host.api")
local json = require("json")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

local count = 0

--- Opens a function of this source in the state of this test.
local function open(source, method, names)
  count = count + 1
  local id = "api:script" .. count
  api.define(id, "@script.lua", source, names or "", "")
  return { api.open(id, method or "", true) }
end

describe("api.open", function()
  it("finds the function of an entry", function()
    eq(open("return function() end"), { true })
    eq(open("return { main = function() end }", "main"), { true })
  end)

  it("answers what is wrong, with the place", function()
    local ok, kind, text, _, stack = table.unpack(open("\nlocal x = nothing.here"))
    eq({ ok, kind }, { false, "UNKNOWN" })
    test.contains(text, "script.lua:2: attempt to index a nil value (global 'nothing')")
    test.contains(stack, "script.lua:2: in main chunk")
  end)

  it("gives the declared modules and no others", function()
    eq(open('require("json"); return function() end', "", "json,queue"), { true })
    local _, _, text = table.unpack(open('require("json"); return function() end', "", "queue"))
    test.contains(text, "module 'json' is not declared")
  end)
end)

describe("api.call", function()
  it("passes a JSON array of arguments and answers one of results", function()
    open("return function(a, b) return a + b, { b }, nil, a end")
    eq({ api.call("[1,2]") }, { true, "[3,[2],null,1]" })
  end)

  it("answers the error of nil, err, and what is raised", function()
    open("return function(x) return nil, errors.new({ kind = 'CONFLICT', message = x }) end")
    local ok, kind, text = api.call('["taken"]')
    eq({ ok, kind, text }, { false, "CONFLICT", "taken" })
    open("return function() error('fell', 0) end")
    ok, kind, text = api.call("[]")
    eq({ ok, kind, text }, { false, "UNKNOWN", "fell" })
  end)

  it("refuses arguments that are no JSON", function()
    open("return function() end")
    eq({ (api.call("[")), (select(2, api.call("["))) }, { false, "INVALID" })
  end)

  it("hands nil over as nil", function()
    open("return function(...) return select('#', ...), (...) == nil, select(2, ...) end")
    eq(select(2, api.call("[null,1,null]")), "[3,true,1,null]")
  end)

  each(
    {
      { returns = "print", says = "result is a function, which JSON cannot carry" },
      { returns = "'\\xff', 2", says = "result 1 is not valid UTF-8 (byte 1)" },
      { returns = "1, { a = { [3] = 1 } }", says = "result 2.a is a list with holes" },
      { returns = "{ rate = 0 / 0 }", says = "result.rate is NaN, which JSON cannot carry" },
    },
    "is an error that says where, when it returns {returns}",
    function(row)
      open("return function() return " .. row.returns .. " end")
      local ok, kind, text = api.call("[]")
      eq({ ok, kind }, { false, "INVALID" })
      test.contains(text, row.says)
    end
  )
end)

describe("api.decorate", function()
  it("puts a function around the one that was opened", function()
    open("return function(x) return x end")
    api.decorate(function(fn)
      return function(x)
        return fn(x) * 2
      end
    end)
    eq(select(2, api.call("[21]")), "[42]")
  end)
end)

describe("api.deliver", function()
  it("runs the opened handler on a body", function()
    open("return function(body) if body.id == 1 then return nil, 'no' end end")
    eq({ api.deliver('{"id":2}') }, { 1 })
    local done, index, code, _, text = api.deliver('{"id":1}')
    eq({ done, index, code, text }, { 1, 1, 1, "no" })
    eq((api.progress()), 1)
  end)
end)

describe("api.decide", function()
  local QUEUE = json.encode({
    max_attempts = 3,
    max_interruptions = 2,
    initial_delay = 1,
    factor = 2,
    max_delay = 60,
    jitter = 0,
  })

  local function decide(what, delay)
    return api.decide(what, "UNKNOWN", "no", 1, 0, 0, 0.5, nil, delay, nil, false)
  end

  it("is answered by the numbers of the queue", function()
    open("return function() return 9 end")
    api.set_policy(QUEUE)
    local action, delay = decide("snooze", 5)
    eq({ action, delay }, { "snooze", 5 })
  end)

  it("is answered by the queue's own policy where one is open", function()
    open("return function(failure) return failure.attempt < 2 and '7s' end")
    api.set_policy(QUEUE)
    local action, delay, reason, kind, message, words = decide("failed")
    eq({ action, delay, kind, message }, { "retry", 7.0, "UNKNOWN", "no" })
    eq({ words, reason }, { "nack → again in 7s: UNKNOWN no" })
  end)

  it("falls back to the numbers when the own policy answers nonsense", function()
    open("return function() return 'soon' end")
    api.set_policy(QUEUE)
    local found = { decide("failed") }
    eq({ found[1], found[2] }, { "retry", 1.0 })
    test.contains(found[7], "it answered soon")
  end)

  it("raises about an event that it does not know", function()
    api.set_policy(QUEUE)
    test.fails("nil value", decide, "nonsense")
  end)
end)

describe("the rest of the api", function()
  it("loads more of the trusted half", function()
    test.is_function(api.more("host.run.retry").policy)
  end)

  it("collects garbage and tells what is left", function()
    test.gt(api.collect(), 0)
  end)

  each(
    { { name = "find_address" }, { name = "use_permanent_hook" }, { name = "last_trace" } },
    "has {name}",
    function(row)
      test.is_function(api[row.name])
    end
  )
end)
