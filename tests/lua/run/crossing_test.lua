local crossing = require("host.run.crossing")
local json = require("json")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

--- What arrives on the other side.
local function sent(...)
  return table.pack(crossing.decode(test.no_error(crossing.encode("result", ...))))
end

--- What arrives with marks for what JSON cannot carry.
local function marked(...)
  return table.pack(crossing.decode(crossing.marked(...)))
end

describe("crossing", function()
  each(
    {
      { what = "texts", value = 'a "b"\n€' },
      { what = "integers", value = math.maxinteger },
      { what = "floats", value = 1.0 },
      { what = "booleans", value = false },
      { what = "tables", value = { list = { 1, 2, { deep = true } } } },
      { what = "null", value = json.null },
      { what = "an empty list", value = json.array() },
    },
    "carries {what} as they are",
    function(row)
      local arrived = sent(row.value)[1]
      eq(arrived, row.value)
      eq(math.type(arrived), math.type(row.value))
    end
  )

  it("keeps nil and the number of values", function()
    eq(sent(), { n = 0 })
    eq(sent(nil), { n = 1 })
    eq(sent(nil, 2, nil), { nil, 2, nil, n = 3 })
  end)

  it("keeps errors with all that they say", function()
    local err = errors.new({ kind = "CONFLICT", message = "taken", retryable = false, details = 7 })
    local arrived = sent(nil, err)[2]
    test.error_kind(arrived, errors.CONFLICT)
    eq({ arrived:message(), arrived:retryable(), arrived:details() }, { "taken", false, 7 })
  end)

  it("runs no code of what an error is about", function()
    local function refuse()
      error("its code was run")
    end
    local order = setmetatable({ id = 7, call = print }, {
      __index = refuse,
      __len = refuse,
      __tostring = refuse,
    })
    local err = errors.new({ message = "taken", details = order })
    local arrived = crossing.decode((crossing.encode("result", err)))
    eq(arrived:details().id, 7)
  end)

  it("leaves open whether an error can be retried where nobody has said", function()
    test.is_nil(sent(errors.new("lost"))[1]:retryable())
  end)

  each(
    {
      { what = "a function", values = { print }, says = "result is a function" },
      {
        what = "one of many",
        values = { 1, "\xFF" },
        says = "result 2 is not valid UTF-8 (byte 1)",
      },
      {
        what = "a part",
        values = { { rates = { 1, 0 / 0 } } },
        says = "result.rates[2] is NaN, which JSON cannot carry",
      },
    },
    "says where {what} is that JSON cannot carry",
    function(row)
      local text, err = crossing.encode("result", table.unpack(row.values))
      test.is_nil(text)
      test.error_kind(err, errors.INVALID)
      test.contains(err:message(), row.says)
    end
  )

  it("puts what pcall says in front of results", function()
    local function returned(...)
      return { crossing.decode(crossing.returned(crossing.encode("result", ...))) }
    end
    eq(returned(), { true })
    eq(returned(1, "x"), { true, 1, "x" })
  end)

  it("describes what JSON cannot carry", function()
    eq(marked(print)[1], "function")
    eq(marked({ cb = print, id = 1 })[1], { cb = "function", id = 1 })
    local mixed = { print, 2, 1.5, true, false, json.null, "x", { deep = print } }
    local arrived = marked(mixed)[1]
    eq(arrived, { "function", 2, 1.5, true, false, json.null, "x", { deep = "function" } })
    eq({ math.type(arrived[2]), math.type(arrived[3]) }, { "integer", "float" })
    eq(marked("\xFF")[1], '"\\255"')
    eq(marked({ rate = 1 / 0 })[1], { rate = "math.huge" })
  end)

  it("ends where a table contains itself", function()
    local cycle = { name = "a" }
    cycle.me = cycle
    eq(marked(cycle)[1].me.me.name, "a")
  end)

  it("describes keys that JSON has not", function()
    eq(marked({ [{}] = 1, x = print })[1]["{}"], 1)
  end)
end)
