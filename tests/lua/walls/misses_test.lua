local misses = require("host.walls.misses")
local queue = require("queue")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local NIL = "x.lua:1: attempt to index a nil value (local 's')"

describe("misses.explain", function()
  it("says what was not found before a nil was indexed", function()
    queue.info("contract:tsaks")
    local text = misses.explain(NIL)
    test.contains(text, NIL .. "; the call before it found nothing: no entry 'contract:tsaks'")
    test.contains(text, "did you mean `contract:tasks`?")
  end)

  it("leaves other complaints alone", function()
    queue.info("contract:tsaks")
    eq(misses.explain("no luck"), "no luck")
  end)

  it("says nothing where the last call found what it looked for", function()
    queue.info("contract:tsaks")
    test.no_error(queue.info("contract:tasks"))
    eq(misses.explain(NIL), NIL)
  end)

  it("says nothing of what was refused for another reason", function()
    test.has_error(queue.publish("contract:tasks", 1, nil, { ttl = 0 }))
    eq(misses.explain(NIL), NIL)
  end)
end)
