local crossing = require("host.run.crossing")
local run_record = require("host.test.run_record")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

local function record(fields)
  local told = { published = {}, waits = {}, results = {} }
  for key, value in pairs(fields or {}) do
    told[key] = value
  end
  return run_record.new(told)
end

describe("run:attempts", function()
  it("are the waits before each attempt, as people say them", function()
    local run = record({ waits = { a = { 0, 2.0, 162.0 } } })
    eq(run:attempts("a"), { "0s", "2s", "2m42s" })
    eq(run:attempts("b"), {})
  end)

  it("want an id", function()
    local run = record()
    fails("run:attempts: a message id expected, got nil", run.attempts, run)
  end)
end)

describe("run:result", function()
  it("is all that the handler returned", function()
    local run = record({ results = { a = { values = crossing.marked(nil, errors.new("no")) } } })
    local value, err = run:result("a")
    test.is_nil(value)
    eq(tostring(err), "no")
    eq(select("#", run:result("b")), 0)
  end)
end)

describe("the messages of a run", function()
  it("have their bodies read", function()
    local run = record({ published = { { text = '{"id":7}' } } })
    eq(run.published[1].body, { id = 7 })
  end)

  it("keep a body that is text as it is, and have none where JSON is broken", function()
    eq(run_record.body({ text = "{", is_text = true }), "{")
    test.is_nil(run_record.body({ text = "{" }))
  end)
end)
