local literal = require("host.print.literal")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

describe("literal.read", function()
  each(
    {
      { text = "{ id = 42 }", json = '{"id":42}' },
      { text = '{ "a", "b" }', json = '["a","b"]' },
      { text = "'text'", json = '"text"' },
      { text = "1e3", json = "1000.0" },
      { text = "{}", json = "{}" },
    },
    "makes JSON of {text}",
    function(row)
      eq(literal.read(row.text), row.json)
    end
  )

  each(
    {
      { text = "{ f = print }", complaint = "'print' is a name; a text needs quotes" },
      { text = "{ id = ", complaint = "unexpected symbol near <eof>" },
      { text = "{ function() end }", complaint = "body[1] is a function, which JSON cannot carry" },
      { text = "os.exit()", complaint = "'os' is a name; a text needs quotes" },
    },
    "refuses {text}",
    function(row)
      local json, complaint = literal.read(row.text)
      eq(json, nil)
      test.contains(complaint, row.complaint)
    end
  )
end)

describe("literal.show", function()
  it("writes a value as Lua would", function()
    eq(literal.show('{"b":[1,2],"a":null}', 80), "{ a = json.null, b = { 1, 2 } }")
  end)

  it("keeps to one line and leaves nothing out when there is no width", function()
    local text = ("x"):rep(5000)
    eq(
      literal.show('{"a":[[[[[[[[[[1]]]]]]]]]],"t":"' .. text .. '"}', 0):gsub("[{} ]", ""),
      'a=1,t="' .. text .. '"'
    )
    test.contains(literal.show('{"t":"' .. text .. '"}', 80), "more bytes")
  end)
end)

describe("literal.holds", function()
  local BODY = '{"total":7,"coupon":null}'
  local EVENT = '{"event":"dead","attempt":3,"body":' .. BODY .. ',"error":{"kind":"TIMEOUT"}}'

  each(
    {
      { text = "attempt > 2", holds = true },
      { text = "body.total == 7 and error.kind == 'TIMEOUT'", holds = true },
      { text = "body.total > 100", holds = false },
      { text = "body.missing.deeper > 1", holds = false },
      { text = "error.kind:find('^TIME')", holds = true },
      { text = "nothing", holds = false },
      { text = "body.coupon", holds = false },
      { text = "attempt -- with a remark", holds = true },
    },
    "says {holds} of {text}",
    function(row)
      eq(literal.condition(row.text), nil)
      eq(literal.holds(EVENT), row.holds)
    end
  )

  it("does not remember the event before", function()
    literal.condition("body")
    eq(literal.holds(EVENT), true)
    eq(literal.holds('{"event":"log"}'), false)
  end)

  it("complains about what is no expression", function()
    test.contains(literal.condition("x ="), "expected near '='")
  end)
end)
