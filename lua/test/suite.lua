--- Collects the tests that a file declares and runs them one at a time, in the order asked for.
---
---     local s = suite.new()
---     s:describe("add", function()
---       s:it("sums", function() … end)
---     end)
---     s:cases()  --> { { index = 1, path = { "add" }, name = "sums", line = 3, … } }
---     s:run(1)   --> { status = "passed" }
---
--- Everything that leaves it is plain data. `suite.main` is the one that the `test` module fills.
local error, ipairs, pairs, setmetatable, tostring, type =
  error, ipairs, pairs, setmetatable, tostring, type
local format, gsub = string.format, string.gsub
local tointeger = math.tointeger
local block = require("host.test.block")
local pretty = require("host.print.pretty")
local problem = require("host.test.problem")
local trace = require("host.walls.trace")

local suite = {}

---@class suite.Case        one test, as it is listed
---@field index integer
---@field path string[]     the names of the blocks around it
---@field name string
---@field source? string
---@field line? integer     where it was declared: in its block, though by a helper
---@field tags string[]
---@field skip boolean
---@field only boolean
---@field todo boolean

---@class suite.Result: problem.Problem  how one test went
---@field status "passed"|"failed"|"skipped"|"error"

---@class suite.Suite
---@field keeps_stubs? boolean          whether stubs outlast tests: the file has nothing else
---@field private block block.Block     the block being declared
---@field private declared table[]      tests in order
---@field private running? table        the test that runs now
---@field private found? problem.Problem  what has gone wrong in it so far
---@field private after fun()[]
---@field private definitions table<function, true>
---@field private defining table<function, true>  the functions of the blocks being declared
local Suite = {}
Suite.__index = Suite

---@return suite.Suite
---@nodiscard
function suite.new()
  local root = block.new("the file")
  local new = { root = root, block = root, declared = {}, after = {}, definitions = {} }
  new.defining = {}
  return setmetatable(new, Suite)
end

-- Declaring --------------------------------------------------------------------------------------

--- A mistake in how the test file is written, told with the line of the script that made it.
local function misuse(text, ...)
  local source, line = trace.place(1)
  local place = source and source .. ":" .. line .. ": " or ""
  error(place .. format(text, ...), 0)
end

local function expect_declaring(self, what)
  if self.running then
    local where = "inside the test '" .. self.running.name .. "'"
    misuse("%s belongs to the loading of the file, not %s", what, where)
  end
end

local function expect(value, kind, what, name)
  if type(value) ~= kind then
    local whose = type(name) == "string" and format("%s '%s'", what, name) or what
    misuse("%s: %s expected, got %s", whose, kind, type(value))
  end
end

--- Declares a block of tests; `define` runs at once.
---@param name string
---@param define fun()
function Suite:describe(name, define)
  expect_declaring(self, "describe")
  expect(name, "string", "describe")
  expect(define, "function", "describe", name)
  local around = self.block
  self.block, self.defining[define] = block.new(name, around), true
  define()
  self.block, self.defining[define] = around, nil
end

---@param name string
---@param body? fun()
---@param mode? "skip"|"only"|"todo"
---@param reason? string  why it is skipped
function Suite:it(name, body, mode, reason)
  expect_declaring(self, "it")
  expect(name, "string", "it")
  if mode ~= "todo" then
    expect(body, "function", "it", name)
  end
  local source, line = trace.place_in(self.defining)
  local case = { name = name, body = body, mode = mode, block = self.block, reason = reason }
  case.source, case.line = source, line
  self.declared[#self.declared + 1] = case
end

--- The name of one row's test: `{field}` becomes the row's field, `{}` the row itself.
local function row_name(name, row, number)
  local function words(value)
    return type(value) == "string" and value or pretty.brief(value, 40)
  end
  local filled, count = gsub(name, "{([%w_]*)}", function(key)
    if key == "" then
      return words(row)
    elseif type(row) == "table" then
      local value = row[key]
      return words(value == nil and row[tointeger(key)] or value)
    end
  end)
  return count > 0 and filled or name .. " #" .. number
end

--- Declares a test for each row.
---@param rows any[]
---@param name string
---@param body fun(row: any)
function Suite:each(rows, name, body)
  expect(name, "string", "each")
  expect(rows, "table", "each", name)
  expect(body, "function", "each", name)
  for number, row in ipairs(rows) do
    self:it(row_name(name, row, number), function()
      body(row)
    end)
  end
end

--- Makes a function that declares tests when it is called.
---@param define fun()
---@return fun()
---@nodiscard
function Suite:definition(define)
  local function declare()
    define()
  end
  self.definitions[declare] = true
  return declare
end

--- Whether `definition` made this function.
---@param fn function
---@return boolean
---@nodiscard
function Suite:is_definition(fn)
  return self.definitions[fn] == true
end

---@param kind "before_all"|"after_all"|"before_each"|"after_each"
---@param body fun()
function Suite:hook(kind, body)
  expect_declaring(self, kind)
  expect(body, "function", kind)
  local hooks = self.block.hooks[kind]
  hooks[#hooks + 1] = body
end

--- Gives tags to every test of the block being declared.
---@param ... string
function Suite:tag(...)
  expect_declaring(self, "tag")
  for _, tag in ipairs({ ... }) do
    expect(tag, "string", "tag")
    self.block.tags[#self.block.tags + 1] = tag
  end
end

--- Has `restore` called after each test, however it ends.
---@param restore fun()
function Suite:after_test(restore)
  self.after[#self.after + 1] = restore
end

--- The name of the running test with those of its blocks, or nil.
---@return string?
function Suite:current()
  local case = self.running
  local name, around = case and case.name, case and case.block
  while around and around.parent do
    name, around = around.name .. " " .. name, around.parent
  end
  return name
end

-- Listing ----------------------------------------------------------------------------------------

local function listed(case, index)
  local path, tags = {}, {}
  for depth, around in ipairs(block.around(case.block)) do
    path[depth - 1] = depth > 1 and around.name or nil
    for _, tag in ipairs(around.tags) do
      tags[#tags + 1] = tag
    end
  end
  return {
    index = index,
    path = path,
    name = case.name,
    source = case.source,
    line = case.line,
    tags = tags,
    skip = case.mode == "skip",
    only = case.mode == "only",
    todo = case.mode == "todo",
  }
end

--- Every declared test in order.
---@return suite.Case[]
---@nodiscard
function Suite:cases()
  local list = {}
  for index, case in ipairs(self.declared) do
    list[index] = listed(case, index)
  end
  return list
end

--- Says which tests will run, so that a block's after_all follows the last of them.
---
--- Without a plan every test opens and closes its blocks for itself.
---@param indexes integer[]
function Suite:plan(indexes)
  for _, index in ipairs(indexes) do
    local case = self.declared[index]
    local runs = case.body and case.mode ~= "skip"
    for _, around in ipairs(runs and block.around(case.block) or {}) do
      around.left = around.left + 1
    end
  end
end

-- Running ----------------------------------------------------------------------------------------

--- before_each of the outer blocks first, then the test, then after_each of the inner ones first.
--- Every block whose before_each began gets its after_each, because there may be something to undo.
local function run_body(self, case, blocks)
  local depth = 0
  while depth < #blocks and not self.found do
    depth = depth + 1
    self:note(block.run_hooks(blocks[depth], "before_each"))
  end
  if not self.found then
    self:note(problem.attempt(case.body))
  end
  for level = depth, 1, -1 do
    self:note(block.run_hooks(blocks[level], "after_each"))
  end
end

--- The result to hand out: a copy, because a block keeps its problem for its other tests.
local function result_of(found, case)
  if not found then
    return { status = "passed" }
  end
  local result = {}
  for key, value in pairs(found) do
    result[key] = value
  end
  if not result.line then
    result.source, result.line = case.source, case.line
  end
  return result
end

--- Runs one test with its hooks.
---@param index integer  as listed by `cases`
---@return suite.Result
function Suite:run(index)
  local case = self.declared[index]
  if not case then
    error("no test " .. tostring(index) .. " in this file", 2)
  elseif case.mode == "skip" or case.mode == "todo" then
    local reason = case.mode == "todo" and "not written yet" or case.reason
    return { status = "skipped", message = reason }
  end
  local blocks = block.around(case.block)
  self.running, self.found = case, block.open(blocks)
  if not self.found then
    run_body(self, case, blocks)
  end
  for _, restore in ipairs(self.after) do
    self:note(problem.attempt(restore))
  end
  self:note(block.leave(blocks))
  self.running = nil
  return result_of(self.found, case)
end

--- Adds what went wrong to what the running test has come to.
---@private
---@param late problem.Problem?
function Suite:note(late)
  self.found = problem.join(self.found, late)
end

--- What a test had come to when it was cut off, and the hook that ran then.
---@return { found?: suite.Result, hook?: string }
function Suite:unfinished()
  local found = self.running and self.found and result_of(self.found, self.running)
  return { found = found or nil, hook = problem.hook }
end

--- Closes what a run that was cut short has left open, the inner blocks first.
---@return problem.Problem[]
function Suite:finish()
  local problems = {}
  for index = #self.declared, 1, -1 do
    local blocks = block.around(self.declared[index].block)
    for depth = #blocks, 1, -1 do
      local found = block.close(blocks[depth])
      for _, one in ipairs(found and problem.apart(found) or {}) do
        problems[#problems + 1] = one
      end
    end
  end
  return problems
end

suite.main = suite.new()

return suite
