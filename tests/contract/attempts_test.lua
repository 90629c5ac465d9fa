local able = require("able")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local function drained(queue_id, body)
  local tasks = test.queue(queue_id)
  local id = tasks:publish(body)
  return tasks:drain(), id, tasks
end

describe("4 attempts", function()
  it("count failures, from 1", function()
    local run, id = drained("contract:few", { ["do"] = "succeed_at", attempt = 3 })
    test.acked(run, id)
    eq(run:result(id), 3)
    eq(#run.nacked, 2)
  end)

  able.patiently("wait longer each time, 57 minutes in all", function()
    local before = test.clock.now()
    local run, id = drained("contract:tasks", { ["do"] = "fail" })
    eq(run:attempts(id), { "0s", "2s", "6s", "18s", "54s", "2m42s", "8m6s", "15m", "15m", "15m" })
    test.near(test.clock.now() - before, 57 * 60, 60)
    test.dead(run, id)
  end)

  it("follow the numbers of their queue", function()
    local run, id = drained("contract:few", { ["do"] = "fail" })
    able.waited(run, id, { 0, 1, 2 })
    test.nacked(run, 3)
  end)

  it("follow the queue's own policy", function()
    local run, id, own = drained("contract:own", { ["do"] = "fail" })
    able.waited(run, id, { 0, 3, 3 })
    eq(own:dead()[1].reason, "rejected")
  end)

  it("are judged by a policy that may do what its consumer may", function()
    local guarded = test.queue("contract:guarded")
    local id = guarded:publish({ ["do"] = "succeed_at", attempt = 2 })
    able.waited(guarded:drain(), id, { 0, 3 })
    eq({ test.queue("contract:few"):len(), test.queue("contract:morgue"):len() }, { 1, 0 })
  end)

  it("follow the default where the own policy breaks, and the log says so", function()
    local order = { ["do"] = "succeed_at", attempt = 2 }
    local run, id = drained("contract:own", order)
    able.waited(run, id, { 0, 2 })
    test.logged("error", "retry policy failed")
  end)

  able.patiently("do not count interruptions, which wait 1 s, 5 s, 25 s and 2 min", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "tell" })
    for _ = 1, 4 do
      test.crash_worker()
    end
    local run = tasks:drain()
    eq(run:attempts(id), { "0s", "1s", "5s", "25s", "2m" })
    local told = run:result(id)
    eq({ told.attempt, told.interruptions }, { 1, 4 })
  end)

  it("are apart from interruptions, of which the first waits 1 s", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "tell" })
    test.crash_worker()
    local run = tasks:drain()
    able.waited(run, id, { 0, 1 })
    eq(run:result(id).attempt, 1)
  end)

  able.patiently("end after five interruptions", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "nothing" })
    for _ = 1, 5 do
      test.crash_worker()
    end
    test.dead(tasks:drain(), id)
    eq(tasks:dead()[1].reason, "interrupted")
  end)
end)

describe("4 dead letters", function()
  it("keep body, headers and id, and tell their story", function()
    local few = test.queue("contract:few")
    local id = few:publish({ ["do"] = "fail", text = "bank down" }, { source = "shop" })
    few:drain()
    local letter = test.queue("contract:few.dead"):messages()[1]
    eq(letter.id, id)
    eq(letter.body, { ["do"] = "fail", text = "bank down" })
    test.match(letter.headers, {
      source = "shop",
      x_original_queue = "contract:few",
      x_dead_letter_reason = "max_attempts",
      x_attempts = 3,
      x_interruptions = 0,
    })
    test.contains(letter.headers.x_last_error, "bank down")
    local lately = 5 + 4 * test.driver().tolerance
    test.near(letter.headers.x_dead_letter_time, test.clock.now(), lately)
    eq(#letter.errors, 3)
    eq({ letter.errors[1].kind, letter.errors[1].message }, { "UNKNOWN", "bank down" })
    test.near(letter.errors[3].time, test.clock.now(), lately)
  end)

  able.patiently("remember the last ten errors, with the place where they were raised", function()
    local _, _, tasks = drained("contract:tasks", { ["do"] = "raise" })
    local known = tasks:dead()[1].errors
    eq(#known, 10)
    test.contains(known[10].traceback, "obey.lua")
  end)

  it("remember where an error was raised", function()
    local _, _, last = drained("contract:last", { ["do"] = "raise" })
    test.contains(last:dead()[1].errors[1].traceback, "obey.lua")
  end)

  it("cut texts that are longer than 8 KiB", function()
    local _, _, few = drained("contract:few", { ["do"] = "fail", text = ("x"):rep(20000) })
    local errs = few:dead()[1].errors
    test.gte(#errs, 1)
    test.lte(#errs[#errs].message, 8192 + 2)
  end)

  it("remember no more than 16 KiB of all errors together, most of the newest", function()
    local _, _, few = drained("contract:few", { ["do"] = "raise", text = ("x"):rep(20000) })
    local bytes, errs = 0, few:dead()[1].errors
    for _, one in ipairs(errs) do
      bytes = bytes + #one.message + #one.traceback
    end
    test.gte(#errs, 1)
    test.lte(bytes, 16 * 1024)
    test.gte(#errs[#errs].message, #errs[1].message)
  end)

  it("go to the queue that is named, after as many attempts as it says", function()
    local run, id, fragile = drained("contract:fragile", { ["do"] = "fail" })
    test.nacked(run, 2)
    eq(test.queue("contract:morgue"):messages()[1].id, id)
    eq(fragile:dead()[1].id, id)
  end)

  it("are dropped where dead_letter is none, and counted", function()
    local run, id, forgetful = drained("contract:forgetful", { ["do"] = "fail" })
    test.dead(run, id)
    eq({ forgetful:len(), forgetful:dead() }, { 0, {} })
    test.logged("error", "nowhere")
  end)

  it("start anew when they are redriven, under their id", function()
    local run, id, few = drained("contract:few", { ["do"] = "fail" })
    test.dead(run, id)
    eq(few:redrive(), 1)
    eq({ few:messages()[1].id, few:messages()[1].attempt }, { id, 1 })
    eq(few:dead(), {})
    test.nacked(few:drain(), 3)
    eq(few:dead()[1].id, id)
  end)

  it("are served by a consumer like any queue, declared or not", function()
    local _, id, mourned = drained("contract:mourned", { ["do"] = "reject", text = "too late" })
    local letters = test.queue("contract:mourned.dead")
    eq({ mourned:len(), letters:len() }, { 0, 1 })
    eq(letters:drain().acked, { id })
    eq(letters:len(), 0)
  end)
end)
