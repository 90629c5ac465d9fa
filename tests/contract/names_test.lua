local queue = require("queue")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

local HERE =
  { call = "here", entry = "contract.here:who", variable = "here", ready = 2, stored = 1 }
local THERE =
  { call = "there", entry = "contract.there:who", variable = "there", ready = 2, stored = 1 }

local function bodies(id)
  local found = {}
  for place, message in ipairs(test.queue(id):messages()) do
    found[place] = message.body
  end
  return found
end

describe("10 bare names", function()
  it("mean the namespace of the file that says them", function()
    eq(test.call("contract.here:speaks"), HERE)
    eq(bodies("contract.here:twin"), { "one", "two" })
    eq(bodies("contract.there:twin"), {})
  end)

  it("mean the namespace of a library in what the library calls", function()
    local found = test.call("contract.here:borrows")
    eq(found.library, THERE)
    eq(bodies("contract.there:twin"), { "one", "two" })
    eq(bodies("contract.here:twin"), {})
  end)

  it("mean what they mean to the file that a function was given to by its own require", function()
    eq(test.call("contract.here:borrows").given, "here")
  end)

  it("never mean another namespace, and tell what may be meant", function()
    eq(test.call("contract.here:strays"), {
      funcs = "no entry 'contract.here:hermit' in tests; did you mean `contract.there:hermit`?",
      queue = "no entry 'contract.here:only' in tests; did you mean `contract.there:only`?",
      store = "no entry 'contract.here:chest' in tests; did you mean `contract.there:chest`?",
    })
  end)

  it("never stand for entries of another kind", function()
    local _, err = test.call("contract.here:strays", "only")
    test.contains(tostring(err), "the project has contract.here:")
    test.is_nil(tostring(err):find("contract.there:only", 1, true))
  end)

  it("tell it also where the error was thrown away", function()
    local _, err = test.call("contract.here:careless")
    test.contains(tostring(err), "attempt to index a nil value")
    test.contains(tostring(err), "did you mean `contract.there:chest`?")
    _, err = test.call("contract.here:careless", "late")
    test.is_false(tostring(err):find("did you mean", 1, true) ~= nil)
  end)

  it("are resolved before permissions are checked", function()
    local id = test.queue("contract.here:guarded"):publish(1)
    local kinds = test.queue("contract.here:guarded"):drain():result(id)
    for _, what in ipairs({ "call", "entry", "info", "publish", "store", "variable" }) do
      eq(kinds[what], { "PERMISSION_DENIED", "PERMISSION_DENIED" }, what)
    end
    eq(kinds.own, { "PERMISSION_DENIED" })
  end)
end)

describe("10 bare names in a file that is no entry", function()
  it("mean the one entry that has them", function()
    eq(test.queue("only").id, "contract.there:only")
    test.no_error(queue.publish("only", 1))
    eq(queue.info("only").ready, 1)
  end)

  it("are refused where several have them", function()
    local all = "'twin' is ambiguous: contract.here:twin, contract.there:twin [R203]"
    fails(all, test.queue, "twin")
    test.contains(tostring(select(2, queue.publish("twin", 1))), all)
  end)
end)
