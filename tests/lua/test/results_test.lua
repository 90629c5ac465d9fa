local results = require("host.test.results")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

local RUN = {
  acked = { "a", "b" },
  nacked = { "c", "c" },
  dead = {},
  published = {
    { queue = "app:emails", id = "e1", body = { to = "ada", order = { id = 1 } }, headers = {} },
    { queue = "app:emails", id = "e2", body = { to = "bob", order = { id = 2 } }, headers = {} },
    { queue = "app:audit", id = "t1", body = "done", headers = {} },
  },
}

describe("results.settled", function()
  it("is silent when number or id fit", function()
    test.is_nil(results.settled(RUN, "acked", 2))
    test.is_nil(results.settled(RUN, "acked", "b"))
    test.is_nil(results.settled(RUN, "nacked", 2), "each failure counts")
    test.is_nil(results.settled(RUN, "dead", 0))
  end)

  each(
    {
      { ending = "acked", wanted = 1, says = 'expected 1 acked, got 2: { "a", "b" }' },
      { ending = "dead", wanted = 1, says = "expected 1 dead, got 0: {}" },
      { ending = "nacked", wanted = "a", says = 'expected a among the nacked, got { "c", "c" }' },
    },
    "says: {says}",
    function(row)
      eq(results.settled(RUN, row.ending, row.wanted).text, row.says)
    end
  )
end)

describe("results.published", function()
  it("finds the first message whose body holds the given fields", function()
    eq(results.published(RUN, "app:emails").id, "e1")
    eq(results.published(RUN, "app:emails", { order = { id = 2 } }).id, "e2")
    eq(results.published(RUN, "app:audit", "done").id, "t1")
  end)

  it("shows what was published instead", function()
    local found, finding = results.published(RUN, "app:audit", { to = "ada" })
    test.is_nil(found)
    eq(finding.text, 'expected a message with { to = "ada" } published to app:audit, got these')
    eq(#finding.diff, 3)
    eq(finding.diff[3], 'app:audit   "done"')
  end)

  it("says when nothing was published", function()
    local _, finding = results.published({ published = {} }, "app:audit")
    eq(finding.text, "expected a message published to app:audit, got none")
  end)
end)

describe("results.logged", function()
  local logs = {
    { level = "info", message = "bank is slow" },
    { level = "error", message = "bank is down (503)" },
  }

  it("finds a text on its level, and takes no sign in it for a pattern", function()
    test.is(results.logged(logs, "error", "down (503)"), logs[2])
    test.is(results.logged(logs, "info", "bank"), logs[1])
  end)

  it("shows what was logged instead", function()
    local found, finding = results.logged(logs, "warn", "bank")
    test.is_nil(found)
    eq(finding.text, 'expected "bank" in a log of level warn, got these')
    eq(finding.diff, { "info   bank is slow", "error   bank is down (503)" })
  end)

  it("shows six logs and counts the others", function()
    local many = {}
    for index = 1, 10 do
      many[index] = { level = "info", message = "log " .. index }
    end
    local _, finding = results.logged(many, "info", "log 11")
    eq(#finding.diff, 7)
    eq(finding.diff[7], "and 4 more")
  end)

  it("says when there is no log", function()
    local _, finding = results.logged({}, "warn", "bank")
    eq(finding.text, 'expected "bank" in a log of level warn, got no log at all')
  end)
end)

describe("results.snapshot", function()
  it("shows the difference to what is stored", function()
    local finding = results.snapshot("{ 2 }", "{ 1 }", "order")
    eq(
      finding,
      { code = "T707", text = "differs from its snapshot", diff = { "- { 1 }", "+ { 2 }" } }
    )
  end)

  it("says when there is none and none may be taken", function()
    eq(
      results.snapshot("{ 2 }", nil, "order").text,
      "no snapshot of 'order', and none is taken now"
    )
  end)
end)
