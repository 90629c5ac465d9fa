--- What a test asks of its host: stubs in every state, the virtual clock, logs, snapshots, queues.
---
--- `test` (stdlib/test.lua) is what scripts see of it. Whatever Python refuses is raised at the
--- line of the test, because a test that could not be arranged is no test.
local crossing = require("host.run.crossing")
local http_under_test = require("host.test.http_under_test")
local driver_under_test = require("host.test.driver_under_test")
local durations = require("host.run.durations")
local failure = require("host.test.failure")
local fields = require("host.walls.fields")
local held = require("host.run.held")
local json = require("json")
local lent = require("host.walls.lent")
local modules = require("host.walls.modules")
local publishing = require("host.run.publishing")
local queue_under_test = require("host.test.queue_under_test")
local refusal = require("host.test.refusal")
local spies = require("host.test.spies")
local stubs = require("host.test.stubs")
-- Behind `stubs`, which must see what it gives.
local exchange = require("host.run.exchange")

local error, pcall, tostring, type = error, pcall, tostring, type

local testing = {}

if not lent.test_module then
  error("the module 'test' works under `moonq test` only", 0)
end

-- Stubs ------------------------------------------------------------------------------------------

--- A function of a module or library, by the name that scripts of this project require it by.
---@param module string
---@param name string
---@return function?
function testing.find(module, name)
  local key = lent.test_module(module)
  local found = key and fields.get(modules.get(key), name)
  return type(found) == "function" and found or nil
end

---@type { name: string, fn: function, spy?: spies.Spy }[]
local answers = {}
-- What went wrong first where a handler's pcall, or moonq, would have swallowed it: an assertion
-- that failed, or words about a result that no state but the test's own can have.
---@type failure.Failure|string|nil
local swallowed

--- Replaces a function of a module in every state of the running test.
---@param module string
---@param name string
---@param fn function       in the test's own state
---@param spy? spies.Spy    given for a spy: other states call their own function and tell it
function testing.replace(module, name, fn, spy)
  local key = lent.test_module(module)
  answers[#answers + 1] = { name = module .. "." .. name, fn = fn, spy = spy }
  stubs.put(key, name, function(original)
    -- Each file's own, which knows what a bare name means there.
    return spy and spies.around(spy, original) or fn
  end)
  refusal.check(lent.test_stub(#answers, key, name, spy ~= nil))
end

--- Lets a function of the test answer every request over HTTP.
---@param fn fun(request: http_under_test.Request): http_under_test.Answer|nil, errors.Error|nil
function testing.answer_http(fn)
  local answer = http_under_test.answering(fn)
  answers[#answers + 1] = { name = "http", fn = answer }
  stubs.put(exchange.KEY, "answer", function()
    return answer
  end)
  refusal.check(lent.test_stub(#answers, exchange.KEY, "answer", false))
end

--- Undoes every `replace`.
function testing.restore()
  answers, swallowed = {}, nil
  stubs.clear()
end

local function swallow(what)
  swallowed = swallowed or what
  return crossing.marked(false, tostring(what))
end

--- What a stub answers to another state, with `pcall`'s word in front of it.
local function answer_of(stub, returned, ...)
  if not returned then
    return failure.is((...)) and swallow((...)) or crossing.marked(false, ...)
  end
  local text, err = crossing.encode("result", ...)
  if not text then
    return swallow(("the stub of %s: %s"):format(stub.name, err:message()))
  end
  return crossing.returned(text)
end

--- Answers for a stub that was called in another state.
---@param id integer
---@param arguments string
---@return string
function testing.answer(id, arguments)
  local stub = answers[id]
  if stub.spy then
    local calls = stub.spy.calls
    calls[#calls + 1] = { crossing.decode(arguments) }
    return ""
  end
  return answer_of(stub, pcall(stub.fn, crossing.decode(arguments)))
end

--- Raises what failed inside a stub, now that the test's own code runs again.
local function settle(...)
  if swallowed then
    local raised = swallowed
    swallowed = nil
    if type(raised) == "string" then
      refusal.raise(raised)
    end
    error(raised, 0)
  end
  return ...
end

queue_under_test.settle = settle

-- Time and logs ----------------------------------------------------------------------------------

testing.duration = durations.parse

---@return number seconds  since the epoch
function testing.now()
  return (lent.now())
end

---@param seconds number  since the epoch
function testing.set_now(seconds)
  refusal.check(lent.test_set_now(seconds))
end

---@param seconds number
function testing.advance(seconds)
  refusal.check(lent.test_advance(seconds))
end

---@return test.Log[]
function testing.logs()
  return (json.decode(refusal.check(lent.test_logs())))
end

--- Compares a literal with the stored one, and stores it where there is none.
---@param key string
---@param literal string
---@return boolean same
---@return string? stored  nil when there is none and none may be stored
function testing.snapshot(key, literal)
  local answer = refusal.check(lent.test_snapshot(key, literal))
  return answer == true, answer or nil
end

-- Queues and functions ---------------------------------------------------------------------------

testing.queue, testing.drain = queue_under_test.open, queue_under_test.drain_all
testing.driver = driver_under_test.of

--- Whether tests reach what is beyond the host.
---@return boolean
---@nodiscard
function testing.is_real()
  return lent.test_is_real()
end

--- Puts an empty database in the place of a declared one.
---@param name string
---@return testing.Database
function testing.sql(name)
  -- Most tests need none.
  return require("host.test.database_under_test").open(name)
end

--- The full id of a queue; raises where there is none.
---@param name string
---@return string
function testing.queue_id(name)
  return (refusal.check(lent.test_queue(name)))
end

--- A body and headers as they cross; raises what cannot be published.
local function message_of(where, body, headers)
  local text, fault = publishing.body(body == nil and json.null or body)
  local given, also = publishing.headers(headers)
  if fault or also then
    refusal.raise(("test.%s: %s"):format(where, fault or also))
  end
  return { body = text, headers = given }
end

---@class testing.By        in whose name a function is called
---@field consumer? string  as which it is called, where it has several
---@field actor? string|security.Actor  a name, or one that `security` made
---@field scope? security.Scope  its rights, of `security`

--- The same as it crosses: a consumer, a name, the numbers of an actor and a scope.
local function crossing_by(by)
  local actor, scope = by.actor, by.scope
  local who = actor and held.number(actor, held.ACTOR)
  local within = scope and held.number(scope, held.SCOPE)
  return by.consumer or "", who and "" or actor or "", who or 0, within or 0
end

--- Calls a function once with a message around its argument.
---@param id string
---@param body any
---@param headers? table<string, string|number|boolean>
---@param by testing.By
---@return any result
---@return any err
function testing.call(id, body, headers, by)
  local parts = message_of("call", body, headers)
  local text = refusal.check(lent.test_call(id, parts.body, parts.headers, crossing_by(by)))
  return settle(crossing.decode(text))
end

---@class testing.Verdict  what would become of a message
---@field verdict "ack"|"retry"|"snooze"|"dead"|"release"  what becomes of it
---@field delay? number        seconds until it runs again
---@field reason? string       why it is a dead letter, such as "max_attempts"
---@field error? { kind: string, message: string }  what the handler failed with

--- Calls a function once, as `testing.call` does, and answers what would become of its message.
---@param id string
---@param body any
---@param headers? table<string, string|number|boolean>
---@param by testing.By
---@return testing.Verdict
function testing.verdict(id, body, headers, by)
  local parts = message_of("verdict", body, headers)
  local text = refusal.check(lent.test_judged(id, parts.body, parts.headers, crossing_by(by)))
  return settle(json.decode(text))
end

-- Faults -----------------------------------------------------------------------------------------

function testing.crash_worker()
  refusal.check(lent.test_crash_worker())
end

---@param id string  a message that was published in this test
function testing.duplicate(id)
  refusal.check(lent.test_duplicate(id))
end

function testing.drop_ack()
  refusal.check(lent.test_drop_ack())
end

---@param seconds number
function testing.broker_down(seconds)
  refusal.check(lent.test_broker_down(seconds))
end

---@param module string
function testing.allow(module)
  modules.allow(refusal.check(lent.test_allow(module)), module)
end

return testing
