--- What Python may call in the states of handlers and functions that a test runs.
local api = require("host.api")
local crossing = require("host.run.crossing")
local lent = require("host.walls.lent")
local message = require("host.run.message")
local stubs = require("host.test.stubs")
local times = require("host.stock.times")

local error, format, pcall, tostring = error, string.format, pcall, tostring

--- Bytes of a result that cross into the state of the test.
local LARGEST = 1024 * 1024

local under_test = {}

--- Tells what a handler returned. Whatever it is, it decides nothing about the delivery: what JSON
--- cannot carry is a complaint for the test that asks for it.
local function tell(...)
  local text, err = crossing.encode("result", ...)
  if text and #text > LARGEST then
    lent.test_returned("", format("result has %d bytes; a test gets at most %d", #text, LARGEST))
  else
    lent.test_returned(text or "", err and err:message() or "")
  end
end

local function note(...)
  if message.number() > 0 then
    pcall(tell, ...)
  end
  return ...
end

--- Tells the host what the handler returns.
function under_test.keep_results()
  api.decorate(function(fn)
    return function(...)
      return note(fn(...))
    end
  end)
end

local function answered(ok, ...)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Asks the test's own state, where the function of the stub is.
local function ask(id, ...)
  local text, err = lent.test_stub_called(id, crossing.marked(...))
  if not text then
    error(tostring(err), 0)
  end
  return text
end

--- Replaces a function by one of the test's; a spy tells the test and lets the original work.
---@param id integer
---@param key string     the module's name, or the library's id
---@param name string
---@param is_spy boolean
function under_test.stub(id, key, name, is_spy)
  stubs.put(key, name, function(original)
    return function(...)
      local text = ask(id, ...)
      if is_spy then
        return original(...)
      end
      return answered(crossing.decode(text))
    end
  end)
end

times.follow(lent.now, lent.monotonic)

return under_test
