--- What Python may call in the state of a file with tests. Texts are JSON, both ways.
---
---     tester.load("test/orders_test.lua")  --> true
---     tester.cases()                       --> [{"index":1,"path":["orders"],"name":"acks"}]
---     tester.run(1)                        --> {"status":"passed"}
local exports = require("host.walls.exports")
local json = require("json")
local lent = require("host.walls.lent")
local modules = require("host.walls.modules")
local problem = require("host.test.problem")
local readable = require("host.print.readable")
local suite = require("host.test.suite").main
local testing = require("host.test.testing")
local times = require("host.stock.times")

local error, ipairs, next, tostring, type = error, ipairs, next, tostring, type

local tester = {}

--- A copy of plain data whose texts are readable.
local function plain(value)
  if type(value) == "string" then
    return readable(value)
  elseif type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, item in next, value do
    copy[key] = plain(item)
  end
  return copy
end

local function encode(value)
  local text, err = json.encode(plain(value))
  return text or error(tostring(err), 0)
end

--- Runs the file, which declares its tests. Answers nothing, or the problem as JSON.
---@param id string
---@return string?
function tester.load(id)
  modules.let_assign(id)
  local found = problem.attempt(function()
    modules.value(id)
  end)
  return found and encode(found)
end

--- Runs the file of an entry and declares its tests: those of `test.run_cases`, or one that calls
--- the function and wants neither false nor an error of it.
---@param id string
---@param method string
---@param name string     of that one test
---@return string?
function tester.load_entry(id, method, name)
  modules.let_assign(id)
  local found = problem.attempt(function()
    local fn = exports.find(id, method)
    if suite:is_definition(fn) then
      fn()
    else
      suite:it(name, function()
        local result, err = fn()
        if result == false or (result == nil and err ~= nil) then
          error(err ~= nil and err or "it returned " .. tostring(result), 0)
        end
      end)
    end
  end)
  return found and encode(found)
end

--- Every test in the order of the file.
---@return string
function tester.cases()
  return encode(suite:cases())
end

--- Says which tests will run, as a JSON array of their indexes.
---@param indexes string
function tester.plan(indexes)
  suite:plan((json.decode(indexes)))
end

--- Runs one test.
---@param index integer
---@return string
function tester.run(index)
  return encode(suite:run(index))
end

--- What the test that was cut off had come to.
---@return string
function tester.unfinished()
  return encode(suite:unfinished())
end

--- Closes what a run that was cut short has left open; answers its problems.
---@return string
function tester.finish()
  local problems = {}
  for place, found in ipairs(suite:finish()) do
    problems[place] = found
  end
  return encode(problems)
end

tester.answer = testing.answer

times.follow(lent.now, lent.monotonic)

return tester
