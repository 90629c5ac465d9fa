local deliver = require("host.run.deliver")
local json = require("json")
local returned = require("host.run.returned")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

--- What is kept of a handler that answers these values.
local function kept(...)
  local values = table.pack(...)
  returned.keep()
  deliver.run(function()
    return table.unpack(values, 1, values.n)
  end, true, "{}")
  return returned.values_as_json()
end

describe("returned", function()
  each(
    {
      { what = "one value", values = { { id = 7 } }, text = '[{"id":7}]' },
      { what = "several values", values = { "sent", 2 }, text = '["sent",2]' },
      { what = "nothing", values = {}, text = "[]" },
    },
    "keeps {what}",
    function(case)
      eq(kept(table.unpack(case.values)), case.text)
    end
  )

  it("keeps a nil between values as null", function()
    eq(kept(nil, nil, 3), "[null,null,3]")
  end)

  it("keeps the text of what JSON cannot carry", function()
    local list = json.decode(kept({ print }))
    test.is_string(list[1])
  end)

  it("writes out the bytes of a text that is none, and keeps what is behind it", function()
    eq(kept("caf\xE9", 2), '["caf\\\\xE9",2]')
  end)

  it("tells an error value without its details, which need not be JSON", function()
    local err = errors.new({ message = "lost", details = { callback = print } })
    eq(json.decode(kept(err, { err })), {
      { kind = "UNKNOWN", message = "lost" },
      { { kind = "UNKNOWN", message = "lost" } },
    })
  end)

  it("forgets what it was asked for", function()
    kept("once")
    eq(returned.values_as_json(), "[]")
  end)
end)
