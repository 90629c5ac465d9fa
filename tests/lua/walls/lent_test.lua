-- It takes what it is lent when it is loaded, and a function is lent when it is first asked for.
require("queue")
require("time")
local lent = require("host.walls.lent")
local limits = require("host.walls.limits")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

describe("a lent function", function()
  it("answers its values", function()
    eq(lent.now(), test.clock.now())
  end)

  it("answers nil and an error of the host's kind", function()
    local id, err = lent.publish("app:nobody", "1")
    test.is_nil(id)
    test.error_kind(err, errors.NOT_FOUND)
    test.contains(err:message(), "app:nobody")
    eq(err:retryable(), false)
  end)

  each(
    {
      { kind = "table", value = {} },
      { kind = "function", value = print },
      { kind = "thread", value = coroutine.create(print) },
    },
    "refuses a {kind} before it reaches the host",
    function(row)
      local id, err = lent.publish("app:nobody", row.value)
      test.is_nil(id)
      test.error_kind(err, errors.INVALID)
      test.contains(err:message(), "handed to the host")
    end
  )

  it("says that a script waits where it does", function()
    limits.forget_waits()
    lent.now()
    test.is_false(limits.has_waited())
    lent.sleep(1)
    test.is_true(limits.has_waited())
  end)

  it("is refused while the memory is used up", function()
    limits.set_memory(1)
    local ok, raised = pcall(lent.now)
    limits.set_memory(64 * 1024 * 1024)
    eq({ ok, raised }, { false, limits.EXCEEDED })
  end)
end)
