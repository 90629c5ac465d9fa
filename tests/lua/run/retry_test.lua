local retry = require("host.run.retry")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

local OPTIONS = {
  max_attempts = 4,
  max_interruptions = 3,
  initial_delay = 2,
  factor = 3,
  max_delay = 50,
  jitter = 0.2,
}

--- What the default policy decides about a failure, with no jitter unless *chance* says so.
local function decide(failure, chance)
  local asked = { attempt = 1, interruptions = 0, snoozes = 0, kind = "UNKNOWN", message = "no" }
  for key, value in pairs(failure) do
    asked[key] = value
  end
  return { retry.policy(OPTIONS)(asked, chance or 0.5) }
end

local function described(value)
  return "<" .. tostring(value) .. ">"
end

--- What a queue's own policy leads to.
local function asked(policy)
  return { retry.ask(policy, { attempt = 1 }, described) }
end

local function answering(value)
  return function()
    return value
  end
end

describe("retry.backoff", function()
  it("grows by the factor up to the longest wait", function()
    local waits = {}
    for attempt = 1, 5 do
      waits[attempt] = retry.backoff(OPTIONS, attempt)
    end
    eq(waits, { 2, 6, 18, 50, 50 })
  end)
end)

describe("retry.spread", function()
  it("goes from 1 - jitter to 1 + jitter times the wait", function()
    test.near(retry.spread(10, 0.2, 0), 8)
    test.near(retry.spread(10, 0.2, 0.5), 10)
    test.near(retry.spread(10, 0.2, 1), 12)
    eq(retry.spread(10, 0, 0.9), 10)
  end)
end)

describe("retry.policy", function()
  it("tries again after the backoff", function()
    eq(decide({ attempt = 1 }), { "retry", 2.0 })
    eq(decide({ attempt = 2 }), { "retry", 6.0 })
  end)

  it("spreads the wait by chance", function()
    test.near(decide({ attempt = 2 }, 0)[2], 4.8)
    test.near(decide({ attempt = 2 }, 1)[2], 7.2)
  end)

  it("gives up after the last attempt", function()
    eq(decide({ attempt = 3 })[1], "retry")
    eq(decide({ attempt = 4 }), { "dead", "max_attempts" })
    eq(decide({ attempt = 5 }), { "dead", "max_attempts" })
  end)

  it("gives up at once when no attempt can help", function()
    eq(decide({ retryable = false }), { "dead", "rejected" })
    eq(decide({ retryable = true })[1], "retry")
    eq(decide({ attempt = 4, retryable = false }), { "dead", "rejected" })
  end)

  it("waits as long as the handler asks for, without jitter", function()
    eq(decide({ delay = 7 }, 1), { "retry", 7 })
    eq(decide({ attempt = 4, delay = 7 }), { "dead", "max_attempts" })
  end)
end)

describe("retry.ask", function()
  it("shows the failure to the queue's own policy", function()
    local seen
    retry.ask(function(failure)
      seen = failure
      return 1
    end, { attempt = 3, kind = "TIMEOUT" }, described)
    eq(seen, { attempt = 3, kind = "TIMEOUT" })
  end)

  it("takes seconds, durations, and false for a dead letter", function()
    eq(asked(answering(7)), { "retry", 7 })
    eq(asked(answering(0.5)), { "retry", 0.5 })
    eq(asked(answering("2m")), { "retry", 120.0 })
    eq(asked(answering("365d")), { "retry", 31536000.0 })
    eq(asked(answering(false)), { "dead", "rejected" })
  end)

  each(
    {
      { what = "nothing", value = nil, shown = "nil" },
      { what = "true", value = true, shown = "true" },
      { what = "a negative number", value = -1, shown = "-1" },
      { what = "more than a year", value = "366d", shown = "366d" },
      { what = "infinity", value = math.huge, shown = "inf" },
      { what = "what is no number", value = 0 / 0, shown = tostring(0 / 0) },
      { what = "a text that is no duration", value = "soon", shown = "soon" },
      { what = "a table", value = {}, shown = "table" },
    },
    "has no use for {what}, and says so",
    function(row)
      local action, detail, problem = retry.ask(answering(row.value), { attempt = 1 }, described)
      eq({ action, detail }, {})
      test.contains(problem, "it answered <" .. row.shown)
      test.contains(problem, ", not a wait or false")
    end
  )

  it("says what a policy raised", function()
    local action, detail, problem = retry.ask(function()
      error("no idea", 0)
    end, { attempt = 1 }, described)
    eq({ action, detail }, {})
    eq(problem, "<no idea>")
  end)
end)
