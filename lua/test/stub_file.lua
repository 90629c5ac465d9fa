--- What Python may call in the state of a file with stubs, which answers for a call by hand.
---
--- Of what a test asks of its host there is nothing else: no queue, no clock, no second call.
local find, format = string.find, string.format
local error, getmetatable, setmetatable = error, getmetatable, setmetatable
local lent = require("host.walls.lent")
local suite = require("host.test.suite").main
local tester = require("host.test.tester")
local trace = require("host.walls.trace")

local given = getmetatable(lent).__index

setmetatable(lent, {
  __index = function(known, name)
    local found = given(known, name)
    if found or not find(name, "^test_") then
      return found
    end
    return function()
      local source, line = trace.place(1)
      local place = source and format("%s:%d: ", source, line) or ""
      error(place .. "this works in tests only; a file of stubs has test.stub and test.module", 0)
    end
  end,
})

suite.keeps_stubs = true

return { load = tester.load, answer = tester.answer }
