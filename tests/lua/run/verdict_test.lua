local test = require("test")
local verdict = require("host.run.verdict")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

--- What a queue makes of an event; *entry* has what its entry says, beside these.
local function judged(event, entry, own)
  local queue = {
    max_attempts = 4,
    max_interruptions = 3,
    initial_delay = 2,
    factor = 3,
    max_delay = 50,
    jitter = 0.2,
    ["function"] = "app:charge",
    timeout = 60,
    memory = 64 * 1024 * 1024,
    dead_letter = "app:orders.dead",
  }
  for key, value in pairs(entry or {}) do
    queue[key] = value
  end
  local told = {
    attempt = 1,
    interruptions = 0,
    snoozes = 0,
    chance = 0.5,
    kind = "UNKNOWN",
    message = "",
    elapsed = 0,
    is_stopping = false,
  }
  for key, value in pairs(event) do
    told[key] = value
  end
  return verdict.judge(queue, own)(told)
end

local function dead(reason, kind, message)
  return {
    action = "dead",
    reason = reason,
    kind = kind,
    message = message,
    words = ("dead (%s) → app:orders.dead: %s"):format(reason, message),
  }
end

describe("a failed attempt", function()
  it("runs again after the backoff, in words", function()
    eq(judged({ what = "failed", kind = "TIMEOUT", message = "bank is down" }), {
      action = "retry",
      delay = 2.0,
      kind = "TIMEOUT",
      message = "bank is down",
      words = "nack → again in 2s: TIMEOUT bank is down",
    })
    test.near(judged({ what = "failed", chance = 1 }).delay, 2.4)
  end)

  it("is dead after the last one", function()
    local last = { what = "failed", attempt = 4, kind = "TIMEOUT", message = "bank is down" }
    eq(judged(last), dead("max_attempts", "TIMEOUT", "bank is down"))
  end)

  it("is dead where no attempt can help", function()
    local event = { what = "failed", kind = "INVALID", message = "no id", retryable = false }
    eq(judged(event), dead("rejected", "INVALID", "no id"))
  end)

  it("is told where dead letters do not go", function()
    local forgetful = verdict.judge({
      max_attempts = 1,
      max_interruptions = 1,
      initial_delay = 1,
      factor = 1,
      max_delay = 1,
      jitter = 0,
      ["function"] = "app:charge",
      memory = 1,
    })
    local found = forgetful({
      what = "failed",
      attempt = 1,
      interruptions = 0,
      snoozes = 0,
      chance = 0,
      kind = "UNKNOWN",
      message = "no",
      is_stopping = false,
    })
    eq(found.words, "dead (max_attempts) → nowhere (dead_letter: none): no")
  end)

  it("is none where a stop has cut its wait short", function()
    local event = { what = "failed", kind = "CANCELED", message = "stopping" }
    eq(judged(event).action, "retry")
    event.is_stopping = true
    eq(judged(event), { action = "release" })
    event.kind = "TIMEOUT"
    eq(judged(event).action, "retry")
  end)
end)

describe("the queue's own policy", function()
  it("sees the failure and decides", function()
    local seen
    local found = judged(
      {
        what = "timeout",
        attempt = 2,
        interruptions = 1,
        snoozes = 3,
      },
      nil,
      function(failure)
        seen = failure
        return "7s"
      end
    )
    eq(seen, {
      attempt = 2,
      interruptions = 1,
      snoozes = 3,
      kind = "TIMEOUT",
      message = "stopped after 1m (timeout)",
      retryable = true,
    })
    eq({ found.action, found.delay, found.problem }, { "retry", 7.0 })
  end)

  it("may end it", function()
    local found = judged({ what = "nack" }, nil, function()
      return false
    end)
    eq(found, dead("rejected", "UNKNOWN", "the handler called nack()"))
  end)

  it("is passed over, and told of, where it has no answer", function()
    local found = judged({ what = "failed", message = "no" }, nil, function()
      return "soon"
    end)
    eq({ found.action, found.delay }, { "retry", 2.0 })
    test.contains(found.problem, "it answered soon")
  end)

  local function refuse()
    error("asked", 0)
  end

  it("is not asked where no attempt can help", function()
    local event = { what = "failed", kind = "INVALID", message = "no id", retryable = false }
    eq(judged(event, nil, refuse), dead("rejected", "INVALID", "no id"))
  end)

  it("decides whether, the handler when: a delay that it asks for holds", function()
    local event = { what = "retry", delay = 60, attempt = 9 }
    local found = judged(event, nil, function(failure)
      return failure.delay == 60 and 5
    end)
    eq({ found.action, found.delay }, { "retry", 60 })
    eq(
      judged(event, nil, function()
        return false
      end).reason,
      "rejected"
    )
    found = judged({ what = "retry", delay = 60 }, nil, refuse)
    eq({ found.action, found.delay, found.problem }, { "retry", 60, "asked" })
  end)

  it("is not asked about what is no failure", function()
    for _, what in ipairs({ "ack", "snooze", "reject", "decode", "stop", "returned" }) do
      test.is_nil(judged({ what = what, interruptions = 1 }, nil, refuse).problem, what)
    end
  end)
end)

describe("a handler that was cut off", function()
  it("has failed at its time limit", function()
    local text = "stopped after 1m30s (timeout)"
    eq(judged({ what = "timeout" }, { timeout = 90 }), {
      action = "retry",
      delay = 2.0,
      kind = "TIMEOUT",
      message = text,
      words = "nack → again in 2s: TIMEOUT " .. text,
    })
    eq(judged({ what = "timeout", attempt = 4 }).reason, "max_attempts")
  end)

  it("has failed at its memory limit", function()
    local text = "app:charge used more than its 64 MiB of memory (memory)"
    local found = judged({ what = "memory" })
    eq({ found.action, found.kind, found.message }, { "retry", "MEMORY", text })
    local half = judged({ what = "memory" }, { memory = 512 * 1024 })
    test.contains(half.message, "its 0.5 MiB of memory")
  end)

  each({ { by = "stop" }, { by = "cancel" } }, "hands its message back at a {by}", function(row)
    eq(judged({ what = row.by }), { action = "release" })
  end)
end)

describe("an interruption", function()
  it("is counted first, and judged before the next start", function()
    eq(judged({ what = "interrupted", message = "the worker ended: no memory" }), {
      action = "interrupt",
      kind = "INTERNAL",
      message = "the worker ended: no memory",
      words = "interrupted → again: INTERNAL the worker ended: no memory",
    })
  end)

  it("waits 1 s, 5 s, 25 s, then two minutes each time", function()
    local waits = {}
    for times = 1, 6 do
      local found = judged({ what = "returned", interruptions = times }, { max_interruptions = 99 })
      eq(found.action, "wait")
      waits[times] = found.delay
    end
    eq(waits, { 1, 5, 25, 120, 120, 120 })
  end)

  it("waits for what is left since then, and says so", function()
    eq(judged({ what = "returned", interruptions = 2, elapsed = 3.5 }), {
      action = "wait",
      delay = 1.5,
      kind = "INTERNAL",
      message = "its process died or lost its lease while it ran",
      words = "interrupted → again in 1.5s: its process died or lost its lease while it ran",
    })
  end)

  it("waits no longer than that where a clock was set back", function()
    eq(judged({ what = "returned", interruptions = 1, elapsed = -3600 }).delay, 1)
  end)

  it("is over when its time has passed already", function()
    eq(judged({ what = "returned", interruptions = 2, elapsed = 5 }), { action = "start" })
    eq(judged({ what = "returned", interruptions = 2, elapsed = 3600 }), { action = "start" })
  end)

  it("is the last one after as many as the queue allows, however long ago", function()
    local text = "its process died or lost its lease 3 times while it ran"
    for _, elapsed in ipairs({ 0, 3600 }) do
      local event = { what = "returned", interruptions = 3, elapsed = elapsed }
      eq(judged(event), dead("interrupted", "INTERNAL", text))
    end
  end)
end)

describe("a body that cannot be decoded", function()
  it("is dead at once", function()
    local event = { what = "decode", kind = "INVALID", message = "no JSON" }
    eq(judged(event), dead("decode", "INVALID", "no JSON"))
  end)
end)

describe("a dry run that came to an answer it cannot know", function()
  it("is unknown", function()
    local event = { what = "unknown", kind = "UNKNOWN", message = "who knows" }
    eq(judged(event), { action = "unknown", kind = "UNKNOWN", message = "who knows" })
  end)
end)

describe("what a handler asks for", function()
  it("ack: done", function()
    eq(judged({ what = "ack" }), { action = "ack" })
  end)

  each({ { what = "nack" }, { what = "retry" } }, "{what}: a failure", function(row)
    local found = judged({ what = row.what, message = "no answer" })
    eq({ found.action, found.delay, found.message }, { "retry", 2.0, "no answer" })
    eq(judged(row).message, "the handler called " .. row.what .. "()")
    eq(judged({ what = row.what, attempt = 4 }).reason, "max_attempts")
  end)

  it("retry: after its own delay, without jitter", function()
    eq(judged({ what = "retry", delay = 7, chance = 1 }).delay, 7)
  end)

  it("reject: dead at once", function()
    local text = "the handler called reject()"
    eq(judged({ what = "reject" }), dead("rejected", "UNKNOWN", text))
    eq(judged({ what = "reject", message = "stolen" }), dead("rejected", "UNKNOWN", "stolen"))
  end)

  it("snooze: as long as asked, a thousand times at most", function()
    eq(judged({ what = "snooze", delay = 60 }), { action = "snooze", delay = 60 })
    eq(judged({ what = "snooze", delay = 60, snoozes = 999 }).action, "snooze")
    local found = judged({ what = "snooze", delay = 60, snoozes = 1000 })
    eq(found, dead("snooze_limit", "UNKNOWN", "it was snoozed 1000 times before"))
  end)
end)

describe("nothing that failed", function()
  local hasty = { initial_delay = 0.1, factor = 1, max_delay = 1, jitter = 1 }
  each(
    {
      { what = "failed", entry = hasty, chance = 0 },
      { what = "timeout", entry = hasty, chance = 0 },
      { what = "memory", entry = hasty, chance = 0 },
      { what = "nack", entry = hasty, chance = 0 },
      { what = "retry", delay = 0 },
      { what = "snooze", delay = 0 },
      {
        what = "failed",
        own = function()
          return 0
        end,
      },
    },
    "comes back sooner than 100 ms: {what}",
    function(row)
      eq(judged(row, row.entry, row.own).delay, 0.1)
    end
  )
end)

describe("nothing", function()
  local year = 365 * 86400
  local patient = { initial_delay = year, factor = 1, max_delay = year, jitter = 1 }
  each(
    {
      { what = "failed", entry = patient, chance = 1 },
      { what = "retry", delay = 1e300 },
      { what = "snooze", delay = 1e300 },
    },
    "waits longer than 365 days: {what}",
    function(row)
      eq(judged(row, row.entry).delay, year)
    end
  )
end)
