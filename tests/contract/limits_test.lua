local able = require("able")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local function stopped(order)
  local brief = test.queue("contract:brief")
  local id = brief:publish({ ["do"] = order })
  return brief:drain(), id, brief
end

describe("5 limits", function()
  it("stop a handler that takes too long, as a failure", function()
    local run, id, brief = stopped("spin")
    eq(run.nacked, { id, id })
    local failure = brief:dead()[1].error
    test.error_kind(failure, errors.TIMEOUT)
    test.contains(failure:message(), "2s")
  end)

  it("stop a handler that catches every error", function()
    local run, id, brief = stopped("hold_on")
    eq(run.dead, { id })
    test.error_kind(brief:dead()[1].error, errors.TIMEOUT)
  end)

  it("bound what a handler calls as they bound the handler", function()
    local brief = test.queue("contract:brief")
    local spin = { ["do"] = "spin" }
    local id = brief:publish({ ["do"] = "call", func = "contract:obey", body = spin })
    eq(brief:drain().dead, { id })
    test.error_kind(brief:dead()[1].error, errors.TIMEOUT)
  end)

  it("stop a handler that is only tried as its consumer would", function()
    local before = test.clock.now()
    local tried = test.verdict("contract:hungry", { ["do"] = "spin" })
    eq({ tried.verdict, tried.delay }, { "retry", 2.0 })
    eq(tried.error.message, "stopped after 2s (timeout)")
    able.due(test.clock.now() - before, 2)
  end)

  it("stop a handler that takes too much memory, as a failure", function()
    local run, id, brief = stopped("eat")
    eq(run.nacked, { id, id })
    test.contains(brief:dead()[1].error:message(), "4 MiB")
  end)

  it("leave nothing behind for the next message", function()
    local _, _, brief = stopped("eat")
    local next_id = brief:publish({ ["do"] = "answer", value = 7 })
    local run = brief:drain()
    eq(run.acked, { next_id })
    eq(run:result(next_id), 7)
  end)

  it("end in the dead letters like every failure", function()
    local brief = test.queue("contract:brief")
    local id = brief:publish({ ["do"] = "spin" })
    local run = brief:drain()
    eq({ run.nacked, run.dead }, { { id, id }, { id } })
    eq(brief:dead()[1].reason, "max_attempts")
  end)
end)
