--- Tests in Lua, for handlers, for flows over queues, and for moonq itself.
---
---     local test = require("test")
---
---     test.describe("totals", function()
---       test.it("adds the shipping", function()
---         test.eq(totals.of({ 10, 20 }, 5), 35)
---       end)
---     end)
---
--- Arguments come as `actual, expected, message?`. An assertion that fails ends its test, and one
--- that holds answers the value it looked at where that is of use.
local error, ipairs, next, require, tostring, type = error, ipairs, next, require, tostring, type
local format, match, unpack = string.format, string.match, table.unpack
local assertions = require("host.test.assertions")
local blame = require("host.walls.blame")
local check = require("check")
local errors = require("errors")
local failure = require("host.test.failure")
local freeze = require("host.walls.freeze")
local held = require("host.run.held")
local bare_names = require("host.walls.bare_names")
local results = require("host.test.results")
local pretty = require("host.print.pretty")
local raising = require("host.test.raising")
local spies = require("host.test.spies")
local suite = require("host.test.suite").main
local trace = require("host.walls.trace")

local test = {}

-- What this module asks of the host. It is loaded when it is first needed, because most tests need
-- nothing but Lua.
local function testing()
  return require("host.test.testing")
end

local function verify(finding, message)
  if finding then
    failure.raise(finding, message)
  end
end

--- A mistake in the use of an assertion itself, told to the author of the test.
local function misuse(text, ...)
  local source, line = trace.place(1)
  error((source and source .. ":" .. line .. ": " or "") .. format(text, ...), 0)
end

local function expect(value, kind, what, hint)
  if type(value) ~= kind then
    misuse("test.%s: %s expected, got %s%s", what, kind, type(value), hint and "; " .. hint or "")
  end
end

local KINDS = {}
for _, name in ipairs(check.names(errors)) do
  if errors[name] == name then
    KINDS[#KINDS + 1] = name
  end
end

local PASS_IT = "pass the function itself, not what it returns"

-- Structure --------------------------------------------------------------------------------------

--- Groups tests under a name; groups can be nested.
---@param name string
---@param define fun()  declares the tests; runs at once
function test.describe(name, define)
  suite:describe(name, define)
end

test.spec = test.describe
test.context = test.describe

--- Declares a test.
---@param name string  a claim in words, such as "never waits longer than the cap"
---@param body fun()
function test.it(name, body)
  suite:it(name, body)
end

--- Declares a test that is not run.
---@param name string
---@param body fun()
function test.it_skip(name, body)
  suite:it(name, body, "skip")
end

--- Declares a test that reaches beyond the host: it is skipped unless `moonq test --real` runs it.
--- What it stubs is stubbed there too.
---@param name string
---@param body fun()
function test.it_real(name, body)
  local is_real = testing().is_real()
  suite:it(name, body, not is_real and "skip" or nil, not is_real and "runs with --real" or nil)
end

--- Declares a test that is run alone, while you work on it.
---@param name string
---@param body fun()
function test.it_only(name, body)
  suite:it(name, body, "only")
end

--- Names a test that is still to be written.
---@param name string
function test.todo(name)
  suite:it(name, nil, "todo")
end

--- Tags every test of the group it stands in, or of the file.
---@param ... string
function test.tag(...)
  suite:tag(...)
end

--- Declares one test for each row.
---@param rows any[]
---@param name string       `{field}` becomes the row's field, `{}` the row itself
---@param body fun(row: any)
function test.each(rows, name, body)
  suite:each(rows, name, body)
end

--- Runs once before the first test of its group.
---@param body fun()
function test.before_all(body)
  suite:hook("before_all", body)
end

--- Runs once after the last test of its group.
---@param body fun()
function test.after_all(body)
  suite:hook("after_all", body)
end

--- Runs before each test of its group and of the groups inside, the outer ones first.
---@param body fun()
function test.before_each(body)
  suite:hook("before_each", body)
end

--- Runs after each test, even a failed one; the inner ones first.
---@param body fun()
function test.after_each(body)
  suite:hook("after_each", body)
end

--- Makes a function out of a definition, for entries with `meta.type: test`.
---@param define fun()
---@return fun() run
---@nodiscard
function test.run_cases(define)
  expect(define, "function", "run_cases")
  return suite:definition(define)
end

-- Equality ---------------------------------------------------------------------------------------

--- Both are equal; tables by content, numbers as Lua does (1 and 1.0 are).
---@param actual any
---@param expected any
---@param message? string
function test.eq(actual, expected, message)
  verify(assertions.eq(actual, expected), message)
end

--- Both differ; tables in their content.
---@param actual any
---@param unwanted any
---@param message? string
function test.neq(actual, unwanted, message)
  verify(assertions.neq(actual, unwanted), message)
end

--- Both are the same object.
---@param actual any
---@param expected any
---@param message? string
function test.is(actual, expected, message)
  verify(assertions.is(actual, expected), message)
end

--- They are not the same object, though they may be equal.
---@param actual any
---@param unwanted any
---@param message? string
function test.is_not(actual, unwanted, message)
  verify(assertions.is_not(actual, unwanted), message)
end

--- A number is within `tolerance` of another.
---@param actual any
---@param expected number
---@param tolerance? number  (default 1e-9)
---@param message? string
function test.near(actual, expected, tolerance, message)
  verify(assertions.near(actual, expected, tolerance or 1e-9), message)
end

--- A table holds at least the given fields, at any depth.
---@param actual any
---@param partial table
---@param message? string
function test.match(actual, partial, message)
  expect(partial, "table", "match", "test.matches looks for a pattern")
  verify(assertions.match(actual, partial), message)
end

-- Truth and type ---------------------------------------------------------------------------------

--- It is neither nil nor false.
---@generic T
---@param actual T
---@param message? string
---@return T
function test.ok(actual, message)
  verify(assertions.ok(actual), message)
  return actual
end

--- Fails at once.
---@param message? string
function test.fail(message)
  failure.raise({ code = "T706", text = message and tostring(message) or "told to fail" })
end

--- It is nil.
---@param actual any
---@param message? string
function test.is_nil(actual, message)
  verify(assertions.constant(actual, nil), message)
end

--- It is not nil.
---@generic T
---@param actual T
---@param message? string
---@return T
function test.not_nil(actual, message)
  verify(assertions.not_nil(actual), message)
  return actual
end

--- It is true, and not only something like it.
---@param actual any
---@param message? string
function test.is_true(actual, message)
  verify(assertions.constant(actual, true), message)
end

--- It is false, and not nil.
---@param actual any
---@param message? string
function test.is_false(actual, message)
  verify(assertions.constant(actual, false), message)
end

--- It is a string.
---@param actual any
---@param message? string
function test.is_string(actual, message)
  verify(assertions.type(actual, "string"), message)
end

--- It is a number.
---@param actual any
---@param message? string
function test.is_number(actual, message)
  verify(assertions.type(actual, "number"), message)
end

--- It is a table.
---@param actual any
---@param message? string
function test.is_table(actual, message)
  verify(assertions.type(actual, "table"), message)
end

--- It is a function.
---@param actual any
---@param message? string
function test.is_function(actual, message)
  verify(assertions.type(actual, "function"), message)
end

--- It is true or false.
---@param actual any
---@param message? string
function test.is_boolean(actual, message)
  verify(assertions.type(actual, "boolean"), message)
end

-- Content ----------------------------------------------------------------------------------------

--- A text contains another, or a table has a value equal to the wanted one.
---@param actual string|table
---@param wanted any
---@param message? string
function test.contains(actual, wanted, message)
  verify(assertions.contains(actual, wanted), message)
end

--- A text matches a Lua pattern.
---@param actual any
---@param pattern string
---@param message? string
function test.matches(actual, pattern, message)
  expect(pattern, "string", "matches")
  verify(assertions.matches(actual, pattern), message)
end

--- A table has something under a key.
---@param actual any
---@param key any
---@param message? string
function test.has_key(actual, key, message)
  verify(assertions.has_key(actual, key), message)
end

--- A text or list is this long.
---@param actual any
---@param length integer
---@param message? string
function test.len(actual, length, message)
  verify(assertions.len(actual, length), message)
end

--- It is greater than the limit.
---@param actual any
---@param limit number|string
---@param message? string
function test.gt(actual, limit, message)
  verify(assertions.order("gt", actual, limit), message)
end

--- It is the limit or greater.
---@param actual any
---@param limit number|string
---@param message? string
function test.gte(actual, limit, message)
  verify(assertions.order("gte", actual, limit), message)
end

--- It is less than the limit.
---@param actual any
---@param limit number|string
---@param message? string
function test.lt(actual, limit, message)
  verify(assertions.order("lt", actual, limit), message)
end

--- It is the limit or less.
---@param actual any
---@param limit number|string
---@param message? string
function test.lte(actual, limit, message)
  verify(assertions.order("lte", actual, limit), message)
end

--- It equals one of the choices.
---@param actual any
---@param choices any[]
---@param message? string
function test.one_of(actual, choices, message)
  expect(choices, "table", "one_of")
  verify(assertions.one_of(actual, choices), message)
end

-- Errors -----------------------------------------------------------------------------------------

--- The function raises an error; with a pattern, one whose text matches it.
---@param fn fun()
---@param pattern? string
---@param message? string
---@return any err  what was raised
function test.throws(fn, pattern, message)
  expect(fn, "function", "throws", PASS_IT)
  local returned, value = raising.attempt(fn)
  verify(returned and raising.missing(value), message)
  verify(pattern and raising.matches(value, pattern), message)
  return value
end

--- The function raises no error.
---@param fn function
---@param message? string
---@return any ...  what it returned
function test.no_throw(fn, message)
  expect(fn, "function", "no_throw", PASS_IT)
  local returned, value = raising.attempt(fn)
  verify(not returned and raising.unexpected(value), message)
  return unpack(value, 1, value.n)
end

--- The function, called with the arguments, raises an error whose text contains `text`.
---@param text string
---@param fn function
---@param ... any
---@return any err  what was raised
function test.fails(text, fn, ...)
  expect(text, "string", "fails")
  expect(fn, "function", "fails", PASS_IT)
  local returned, value = raising.attempt(fn, ...)
  verify(returned and raising.missing(value))
  verify(raising.contains(value, text))
  return value
end

--- The pair says that something failed: `nil, err`.
---@param value any
---@param err any
---@param message? string
---@return any err
function test.has_error(value, err, message)
  verify(raising.pair(value, err), message)
  return err
end

--- The pair says that nothing failed: `err` is nil.
---@generic T
---@param value T
---@param err any
---@param message? string
---@return T value
function test.no_error(value, err, message)
  verify(err ~= nil and raising.unexpected(err), message)
  return value
end

--- The error is of this kind.
---@param err any
---@param kind errors.Kind
---@param message? string
function test.error_kind(err, kind, message)
  if type(kind) ~= "string" or errors[kind] ~= kind then
    local hint = check.hint(kind, KINDS)
    misuse("test.error_kind: unknown kind %s%s", check.show(kind), hint)
  end
  verify(raising.kind(err, kind), message)
end

--- The error says that trying again can help.
---@param err any
---@param message? string
function test.retryable(err, message)
  verify(raising.retryable(err), message)
end

-- Time -------------------------------------------------------------------------------------------

--- Seconds from a number or a text such as "5m".
local function seconds(duration, what)
  local length, err = testing().duration(duration)
  if not length then
    misuse("test.%s: %s", what, tostring(err))
  end
  return length
end

test.clock = {}

--- The virtual time, in seconds since the epoch.
---@return number
---@nodiscard
function test.clock.now()
  return testing().now()
end

--- Sets the virtual time.
---@param time number  seconds since the epoch
function test.clock.set(time)
  expect(time, "number", "clock.set")
  testing().set_now(time)
end

--- Lets virtual time pass.
---@param duration number|string  seconds, or a text such as "5m"
function test.clock.advance(duration)
  testing().advance(seconds(duration, "clock.advance"))
end

test.clock = freeze.copy(test.clock, "test.clock")

---@class (exact) test.EventuallyOptions  how long it is asked, in virtual time
---@field within? number|string  virtual time to wait at most (default "1s")
---@field every? number|string   virtual time between two looks (default "10ms")

--- The function succeeds sooner or later in virtual time: it neither raises nor returns false.
---@param fn fun(): any
---@param options? test.EventuallyOptions
---@param message? string
---@return any ...  what it returned
function test.eventually(fn, options, message)
  expect(fn, "function", "eventually", PASS_IT)
  local within = seconds(options and options.within or "1s", "eventually")
  local every = seconds(options and options.every or "10ms", "eventually")
  if every <= 0 then
    misuse("test.eventually: option 'every': more than 0 expected, got %s", every)
  end
  local returned, finding = raising.until_content(fn, within, every, testing().advance)
  verify(finding, message)
  return unpack(returned, 1, returned.n)
end

-- Stubs ------------------------------------------------------------------------------------------

--- The function of a module that scripts see. Only a running test can have stubs, because its end
--- is what takes them away.
local function original(what, module, name)
  expect(module, "string", what)
  expect(name, "string", what)
  if not (suite:current() or suite.keeps_stubs) then
    misuse("test.%s: only inside a test or before_each, because a test's end undoes it", what)
  end
  local found = testing().find(module, name)
  if not found then
    misuse("test.%s: no function '%s' in the module '%s'", what, name, module)
  end
  return found
end

local stubbed = false

local function replace(module, name, answer, is_spy)
  local spy, fn = spies.new(answer)
  stubbed = true
  testing().replace(module, name, fn, is_spy and spy or nil)
  return spy
end

suite:after_test(function()
  if stubbed then
    stubbed = false
    testing().restore()
  end
end)

local function nothing() end

--- Replaces a function of a module until the end of the test, wherever it is called from.
---@param module string
---@param name string
---@param fn? function  (default: one that returns nothing)
---@return spies.Spy spy  its `calls` lists the arguments of each call
function test.stub(module, name, fn)
  original("stub", module, name)
  if fn ~= nil then
    expect(fn, "function", "stub")
  end
  return replace(module, name, fn or nothing)
end

--- Records the calls of a function of a module, which does its work all the same.
---@param module string
---@param name string
---@return spies.Spy spy
function test.spy(module, name)
  return replace(module, name, original("spy", module, name), true)
end

--- `stub` with one name for both: `mock("bank.charge", fn)`.
---@param path string  module and function, with a dot between
---@param fn? function
---@return spies.Spy spy
function test.mock(path, fn)
  expect(path, "string", "mock")
  local module, name = match(path, "^(.+)%.([^.]+)$")
  if not module then
    misuse("test.mock: a name such as 'bank.charge' expected, got '%s'", path)
  end
  original("mock", module, name)
  if fn ~= nil then
    expect(fn, "function", "mock")
  end
  return replace(module, name, fn or nothing)
end

--- Answers all requests over HTTP until the end of the test, wherever they are made; nobody is
--- asked. Addresses, options and policies are checked as ever, with the entry of the client.
---
---     local seen = test.http(function(request)
---       test.eq(request.path, "/charges")
---       return { status = 201, json = { id = "c-1" } }
---     end)
---     test.call("app:charge", { cents = 4200 })
---     seen.calls[1][1].headers.authorization --> "Bearer …"
---@param answer fun(request: http_under_test.Request): http_under_test.Answer|nil, errors.Error|nil
---@return spies.Spy spy  its `calls` lists the requests, each in a list of its own
function test.http(answer)
  expect(answer, "function", "http")
  if not (suite:current() or suite.keeps_stubs) then
    misuse("test.http: only inside a test or before_each, because a test's end undoes it")
  end
  local spy, fn = spies.new(answer)
  stubbed = true
  testing().answer_http(fn)
  return spy
end

--- Replaces functions of a module, such as one in Python, until the end of the test.
---
---     test.module("bank", { charge = function() return { id = "r-1" } end })
---
---@param name string
---@param functions table<string, function>  what answers, by the function's name
---@return table<string, spies.Spy> spies  of each of them, by the same names
function test.module(name, functions)
  expect(name, "string", "module")
  expect(functions, "table", "module")
  local found = {}
  for called in next, functions do
    expect(called, "string", "module")
  end
  for _, called in ipairs(check.names(functions)) do
    original("module", name, called)
    expect(functions[called], "function", "module")
    found[called] = replace(name, called, functions[called])
  end
  return found
end

-- Logs -------------------------------------------------------------------------------------------

---@class test.Log  one line of the log
---@field level "debug"|"info"|"warn"|"error"  how much it matters
---@field message string  what was said
---@field fields table  what was said beside it
---@field entry string   who wrote it

--- What was logged since the test began.
---@return test.Log[]
---@nodiscard
function test.logs()
  return testing().logs()
end

--- Something was logged on this level, with this text in it.
---@param level "debug"|"info"|"warn"|"error"
---@param text string
---@param message? string
---@return test.Log log  the first that fits
function test.logged(level, text, message)
  expect(level, "string", "logged")
  expect(text, "string", "logged")
  local log, finding = results.logged(testing().logs(), level, text)
  verify(finding, message)
  return log
end

-- Snapshots --------------------------------------------------------------------------------------

-- Where the running test takes its snapshot without a name, and what it is: a test may come by
-- there again, but not with another value.
local unnamed

suite:after_test(function()
  unnamed = nil
end)

--- Raises where a test has more than one snapshot without a name: they would be compared.
local function expect_only_unnamed(literal)
  local source, line = trace.place(1)
  local taken = format("%s:%s: %s", source, line, literal)
  if unnamed and unnamed ~= taken then
    misuse("test.snapshot: this test has one already; give each a name: test.snapshot(value, name)")
  end
  unnamed = taken
end

--- The value is what it was when the snapshot was taken; the first run takes it, and
--- `moonq test --update` takes it anew and drops those of tests that are gone.
---@param value any
---@param name? string  needed when a test has more than one
function test.snapshot(value, name)
  local current = suite:current()
  if not current then
    misuse("test.snapshot: only inside a test, because the snapshot bears its name")
  end
  local literal = pretty.value(value, { depth = 100, bytes = 1000000, text = 1000000 })
  if name == nil then
    expect_only_unnamed(literal)
  end
  local key = name and current .. " / " .. tostring(name) or current
  local same, stored = testing().snapshot(key, literal)
  verify(not same and results.snapshot(literal, stored, key))
end

-- Queues -----------------------------------------------------------------------------------------

--- A queue under test, with the memory stand-in for its driver.
---@param id moonq.QueueId
---@return testing.Queue
---@nodiscard
function test.queue(id)
  expect(id, "string", "queue")
  return testing().queue(id)
end

--- An empty database in the place of a declared one until the end of the test: an SQLite file
--- with the tables that the `schema` of the entry makes. Without it every statement is refused.
--- Under `moonq test --real` a declared server is asked itself, with whatever is in its database.
---
---     local db = test.sql("app:shop")
---     test.call("app:take_order", { id = 7 })
---     test.eq(db:one("SELECT count(*) AS n FROM orders").n, 1)
---@param db moonq.DatabaseId   the id of a `sql.database` entry
---@return testing.Database
function test.sql(db)
  expect(db, "string", "sql")
  return testing().sql(db)
end

--- What the driver of the queues can do: of one queue, or of the only kind that the project has.
--- `moonq test` has a stand-in in memory unless told `--driver declared`.
---
---     if test.driver():can("priority") then … end
---@param queue? moonq.QueueId
---@return testing.Driver
---@nodiscard
function test.driver(queue)
  return testing().driver(queue or "")
end

--- Lets the whole pipeline run: all consumers of the project, until there is nothing left to do in
--- any queue that has one. Time is virtual, and jumps over delays and backoff.
---
---     test.queue("app:orders"):publish({ id = 1 })
---     test.acked(test.drain(), 3)   -- the order, its receipt, its mail
---@param options? testing.DrainOptions
---@return testing.Run
function test.drain(options)
  return testing().drain(options)
end

---@class (exact) test.CallOptions  as whom a function is called
---@field consumer? moonq.ConsumerId  whose rights, limits and queue it has; needed where it has
---                                   several
---@field actor? string|security.Actor  in whose name instead: an actor of the project, or a service
---                                     by its id, with its policies; or `security.new_actor(…)`
---@field scope? security.Scope         within which scope instead: `security.named_scope(…)`

local CALL = {
  consumer = { type = "string" },
  actor = { type = "string|table" },
  scope = { type = "table" },
}

--- What the options of a call say, as the file that wrote them means it.
local function call_options(options, what, full)
  local by, fault = check.read(options or {}, CALL)
  if not by then
    misuse("test.%s: %s", what, fault)
  end
  local actor, scope = by.actor, by.scope
  if type(actor) == "table" and not held.number(actor, held.ACTOR) then
    misuse("test.%s: option 'actor': a text or a security.actor expected, got table", what)
  elseif scope and not held.number(scope, held.SCOPE) then
    misuse("test.%s: option 'scope': a security.scope expected, got table", what)
  end
  by.consumer = full and full(by.consumer) or by.consumer
  return by
end

--- Calls a function entry once, as if a message had come, without any queue. It runs with the
--- rights and the time limit of its consumer, where it has one, or in the name of somebody else:
---
---     test.call("app:report", {}, nil, { actor = "clerk" })
---     local scope = security.named_scope("clerks")
---     test.call("app:report", {}, nil, { actor = security.new_actor("ada"), scope = scope })
---@param id moonq.FunctionId
---@param body any
---@param headers? table<string, string|number|boolean>
---@param options? test.CallOptions
---@return any result
---@return any err
function test.call(id, body, headers, options)
  expect(id, "string", "call")
  return testing().call(id, body, headers, call_options(options, "call"))
end

--- Calls a function entry once, as `test.call` does, and answers what the queue that it serves
--- would make of the message: `test.verdict("app:charge", order).delay --> 2.0`. Nothing is spread
--- by chance; a function that serves no queue is judged by the defaults.
---@param id moonq.FunctionId
---@param body any
---@param headers? table<string, string|number|boolean>
---@param options? test.CallOptions
---@return testing.Verdict
function test.verdict(id, body, headers, options)
  expect(id, "string", "verdict")
  return testing().verdict(id, body, headers, call_options(options, "verdict"))
end

local function expect_run(run, wanted, what)
  expect(run, "table", what, "pass what queue:drain() answers")
  if type(wanted) ~= "string" and type(wanted) ~= "number" then
    misuse("test.%s: how many, or a message id, expected; got %s", what, check.show(wanted))
  end
end

--- So many deliveries were acked, or the message with this id was.
---@param run testing.Run
---@param wanted integer|string
---@param message? string
function test.acked(run, wanted, message)
  expect_run(run, wanted, "acked")
  verify(results.settled(run, "acked", wanted), message)
end

--- So many deliveries failed, or one of the message with this id did.
---@param run testing.Run
---@param wanted integer|string
---@param message? string
function test.nacked(run, wanted, message)
  expect_run(run, wanted, "nacked")
  verify(results.settled(run, "nacked", wanted), message)
end

--- So many messages became dead letters, or the one with this id did.
---@param run testing.Run
---@param wanted integer|string
---@param message? string
function test.dead(run, wanted, message)
  expect_run(run, wanted, "dead")
  verify(results.settled(run, "dead", wanted), message)
end

--- A message was published to this queue; with `partial`, one whose body holds these fields.
---@param run testing.Run
---@param queue moonq.QueueId
---@param partial? any
---@param message? string
---@return testing.Published published  the first that fits
function test.published(run, queue, partial, message)
  expect(queue, "string", "published")
  local published, finding = results.published(run, testing().queue_id(queue), partial)
  verify(finding, message)
  return published
end

-- Faults -----------------------------------------------------------------------------------------

--- The worker of the next delivery dies before it settles.
function test.crash_worker()
  testing().crash_worker()
end

--- Delivers a message once more, as brokers do.
---@param id string  the message
function test.duplicate(id)
  expect(id, "string", "duplicate")
  testing().duplicate(id)
end

--- The next ack is lost on its way to the broker.
function test.drop_ack()
  testing().drop_ack()
end

--- The broker is away for a while of virtual time.
---@param duration number|string
function test.broker_down(duration)
  testing().broker_down(seconds(duration, "broker_down"))
end

--- Lets this file require a module that tests go without by default.
---@param module string
function test.allow(module)
  expect(module, "string", "allow")
  testing().allow(module)
end

--- For `call` and `verdict`, which are given the names of a function and of its consumer.
local function named_call(what)
  return function(fn, full)
    return function(id, body, headers, options)
      return fn(full(id), body, headers, call_options(options, what, full))
    end
  end
end

bare_names.takes(test, {
  queue = bare_names.first,
  driver = bare_names.first,
  sql = bare_names.first,
  call = named_call("call"),
  verdict = named_call("verdict"),
  published = bare_names.second,
})

blame.hide()

return test
