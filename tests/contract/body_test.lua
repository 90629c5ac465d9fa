local json = require("json")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local NULLS = '{"x": null, "inner": {"y": null}, "list": [1, null, 3]}'

--- What the handler of `nulls` finds in a body.
local function seen(text)
  local nulls = test.queue("contract:nulls")
  local id = nulls:publish_raw(text)
  return (nulls:step():result(id))
end

describe("2 publish: the body that a handler gets", function()
  it("has no field that is null, and json.null in the place of a list's", function()
    local found = seen(NULLS)
    eq({ found.has, found.inner }, { false, true })
    eq({ found.second, found.length, found.decoded }, { true, 3, true })
  end)

  it("is json.null where that is all of it", function()
    eq(seen("null"), "null itself")
  end)

  it("is there as bytes too, which json.decode reads with every null", function()
    local found = seen(NULLS)
    eq({ found.raw, found.all }, { NULLS, true })
  end)

  it("has raw bytes where the codec is raw", function()
    local raw = test.queue("contract:raw")
    raw:publish_raw("\x00\x01 null")
    eq(raw:messages()[1].body, "\x00\x01 null")
  end)

  it("keeps its bytes in the dead letters and when it is redriven", function()
    local nulls, text = test.queue("contract:nulls"), '{"fail": 1.0, "x": null}'
    nulls:publish_raw(text)
    test.dead(nulls:drain(), 1)
    eq(nulls:dead()[1].text, text)
    eq(nulls:dead()[1].body, { fail = 1.0 })
    eq(nulls:redrive(), 1)
    eq(nulls:messages()[1].text, text)
  end)

  it("that is no JSON is a dead letter with its bytes, and no handler is called", function()
    local nulls = test.queue("contract:nulls")
    local id = nulls:publish_raw("{not json")
    local run = nulls:drain()
    eq({ run.dead, run.results }, { { id }, {} })
    eq({ nulls:dead()[1].reason, nulls:dead()[1].text }, { "decode", "{not json" })
    test.acked(test.queue("contract:tasks"):drain(), 0)
  end)

  it("may be as large as max_body, and a dead letter then", function()
    local last = test.queue("contract:last")
    local order = { ["do"] = "fail", text = ("ü"):rep(60 * 1024) }
    local id = last:publish(order)
    test.dead(last:drain(), id)
    eq(last:dead()[1].body.text, order.text)
  end)

  it("is as Lua published it: json.null is null in its bytes", function()
    local nulls = test.queue("contract:nulls")
    nulls:publish({ x = json.null, list = json.array() })
    test.one_of(nulls:messages()[1].text, { '{"x":null,"list":[]}', '{"list":[],"x":null}' })
    eq(nulls:messages()[1].body, { list = {} })
  end)
end)
