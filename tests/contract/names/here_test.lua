local queue = require("queue")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

return test.run_cases(function()
  describe("10 bare names in a test that is an entry", function()
    it("mean the entry's own namespace", function()
      eq(test.queue("twin").id, "contract.here:twin")
      eq(test.call("who"), "here")
      eq(test.verdict("who").verdict, "ack")
      queue.publish("twin", 1)
      eq(test.queue("contract.here:twin"):len(), 1)
    end)

    it("mean no other namespace", function()
      test.fails("did you mean `contract.there:only`?", test.queue, "only")
      test.contains(
        tostring(select(2, queue.publish("only", 1))),
        "did you mean `contract.there:only`?"
      )
    end)

    it("mean the library of that namespace in a stub", function()
      test.stub("teller", "tell", function()
        return "stubbed"
      end)
      eq(test.call("tells"), "stubbed")
      eq(test.call("contract.there:tells"), "there")
    end)

    it("mean the same in what a run has published", function()
      local run = test.queue("guarded"):drain()
      test.fails("published to contract.here:twin", test.published, run, "twin")
    end)

    it("mean the same to a function that is spied on", function()
      local spy = test.spy("queue", "publish")
      queue.publish("twin", 1)
      eq(test.queue("twin"):len(), 1)
      eq(spy.calls, { { "twin", 1 } })
    end)

    it("reach a stub as they were written", function()
      local spy = test.stub("queue", "publish")
      test.call("speaks")
      eq(spy.calls[1], { "twin", "one" })
    end)
  end)
end)
