local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

-- What it does happens in the states of handlers, so it is seen from here only by what it leads to.
describe("under_test", function()
  it("tells what a handler returned, every value of it", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "fault", fault = { kind = "CONFLICT", message = "taken" } })
    local value, err = tasks:step():result(id)
    test.is_nil(value)
    test.error_kind(err, errors.CONFLICT)
  end)

  it("tells nothing of a handler that raised", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "raise" })
    eq(select("#", tasks:step():result(id)), 0)
  end)

  it("carries errors into handlers and arguments out of them", function()
    local stub = test.stub("queue", "publish", function()
      return nil, errors.new({ kind = "RATE_LIMITED", message = "full" })
    end)
    local tasks = test.queue("contract:tasks")
    local order =
      { ["do"] = "publish", to = "contract:morgue", body = { 1 }, options = { ttl = 5 } }
    local id = tasks:publish(order)
    local _, err = tasks:step():result(id)
    test.error_kind(err, errors.RATE_LIMITED)
    eq(stub.calls, { { "contract:morgue", { 1 }, nil, { ttl = 5 } } })
  end)

  it("raises in the handler what the stub raises", function()
    test.stub("time", "sleep", function()
      error(errors.new({ kind = "CANCELED", message = "no rest" }))
    end)
    local tasks = test.queue("contract:tasks")
    tasks:publish({ ["do"] = "spin" })
    test.nacked(tasks:step(), 1)
    test.error_kind(tasks:delayed()[1].error, errors.CANCELED)
  end)

  it("lets a spied function do its work where the handler is", function()
    local spy = test.spy("queue", "message")
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "tell" })
    eq(tasks:step():result(id).id, id)
    eq(spy.calls, { {} })
  end)
end)
