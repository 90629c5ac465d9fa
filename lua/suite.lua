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
local error, ipairs, pairs, rawget, setmetatable, tostring, type, xpcall =
  error, ipairs, pairs, rawget, setmetatable, tostring, type, xpcall
local format, gsub, sub = string.format, string.gsub, string.sub
local insert, tointeger = table.insert, math.tointeger
local failure = require("host.failure")
local pretty = require("host.pretty")
local raising = require("host.raising")
local trace = require("host.trace")

local suite = {}

---@class suite.Case        one test, as it is listed
---@field index integer
---@field path string[]     the names of the blocks around it
---@field name string
---@field source? string
---@field line? integer     where it was declared
---@field tags string[]
---@field skip boolean
---@field only boolean
---@field todo boolean

---@class suite.Result      how one test went
---@field status "passed"|"failed"|"skipped"|"error"  "error": not an assertion said no
---@field code? string      T7xx
---@field message? string
---@field diff? string[]    lines
---@field hook? string      the hook that went wrong, with its block: "before_each of 'orders'"
---@field source? string    where it went wrong
---@field line? integer
---@field stack? string     script frames, innermost first

---@class suite.Block
---@field name string
---@field parent? suite.Block
---@field tags string[]
---@field hooks table<string, function[]>
---@field left integer         planned tests that have not run
---@field opened boolean       before_all has run
---@field problem? suite.Result  what went wrong in before_all

---@class suite.Suite
---@field private block suite.Block     the block being declared
---@field private declared table[]      tests in order
---@field private running? table        the test that runs now
---@field private after fun()[]
local Suite = {}
Suite.__index = Suite

local function new_block(name, parent)
  return {
    name = name,
    parent = parent,
    tags = {},
    hooks = { before_all = {}, after_all = {}, before_each = {}, after_each = {} },
    left = 0,
    opened = false,
  }
end

---@return suite.Suite
---@nodiscard
function suite.new()
  local root = new_block("the file", nil)
  return setmetatable({ root = root, block = root, declared = {}, after = {} }, Suite)
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
  self.block = new_block(name, around)
  define()
  self.block = around
end

---@param name string
---@param body? fun()
---@param mode? "skip"|"only"|"todo"
function Suite:it(name, body, mode)
  expect_declaring(self, "it")
  expect(name, "string", "it")
  if mode ~= "todo" then
    expect(body, "function", "it", name)
  end
  local source, line = trace.place(1)
  local case = { name = name, body = body, mode = mode, block = self.block }
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

--- Has `restore` called after each test, whatever its outcome.
---@param restore fun()
function Suite:after_test(restore)
  self.after[#self.after + 1] = restore
end

--- The name of the running test with those of its blocks, or nil.
---@return string?
function Suite:current()
  local case = self.running
  local name, block = case and case.name, case and case.block
  while block and block.parent do
    name, block = block.name .. " " .. name, block.parent
  end
  return name
end

-- Listing ----------------------------------------------------------------------------------------

--- The blocks around a test, the outermost first.
local function blocks_around(case)
  local blocks, block = {}, case.block
  while block do
    insert(blocks, 1, block)
    block = block.parent
  end
  return blocks
end

local function listed(case, index)
  local path, tags = {}, {}
  for depth, block in ipairs(blocks_around(case)) do
    path[depth - 1] = depth > 1 and block.name or nil
    for _, tag in ipairs(block.tags) do
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
    for _, block in ipairs(case.body and case.mode ~= "skip" and blocks_around(case) or {}) do
      block.left = block.left + 1
    end
  end
end

-- Running ----------------------------------------------------------------------------------------

--- What was raised, as plain data.
---@return suite.Result
local function problem_of(raised, hook)
  -- When memory or stack run out, Lua calls no message handler, or not to its end.
  if type(raised) ~= "table" then
    raised = { value = raised }
  end
  local value = raised.value
  local prefix = format("%s:%s: ", raised.source, raised.line)
  local words = raising.shown(value)
  if words == pretty.brief(value) then
    words = "raised " .. words -- neither text nor error, so it cannot speak for itself
  end
  local problem = {
    status = "error",
    code = "T710",
    message = sub(words, 1, #prefix) == prefix and sub(words, #prefix + 1) or words,
    diff = {},
    source = raised.source,
    line = raised.line,
    stack = raised.stack,
    hook = hook,
  }
  if failure.is(value) then
    problem.status = hook and "error" or "failed"
    problem.code, problem.message =
      tostring(rawget(value, "code")), tostring(rawget(value, "message"))
    problem.diff = failure.lines(value)
  end
  if hook then
    problem.message = hook .. ": " .. problem.message
  end
  return problem
end

local function attempt(body, hook)
  local passed, raised = xpcall(body, trace.handler)
  if not passed then
    return problem_of(raised, hook)
  end
end

--- Runs the hooks of one kind; the first that goes wrong ends it.
local function run_hooks(block, kind)
  for _, body in ipairs(block.hooks[kind]) do
    local whose = block.parent and "'" .. block.name .. "'" or block.name
    local problem = attempt(body, kind .. " of " .. whose)
    if problem then
      return problem
    end
  end
end

--- Opens the blocks around a test, the outermost first. A block that could not open stays so for
--- all its tests: half a preparation is no ground to test on.
local function open(blocks)
  for _, block in ipairs(blocks) do
    if not block.opened then
      block.opened = true
      block.problem = run_hooks(block, "before_all")
    end
    if block.problem then
      return block.problem
    end
  end
end

local function close(block)
  if block.opened then
    block.opened, block.problem = false, nil
    return run_hooks(block, "after_all")
  end
end

--- Counts a test as done and closes the blocks that wait for no other.
local function leave(blocks)
  local first
  for depth = #blocks, 1, -1 do
    local block = blocks[depth]
    block.left = block.left - 1
    if block.left <= 0 then
      block.left = 0
      first = close(block) or first
    end
  end
  return first
end

--- before_each of the outer blocks first, then the test, then after_each of the inner ones first.
--- Every block whose before_each began gets its after_each, because there may be something to undo.
local function run_body(case, blocks)
  local problem, depth = nil, 0
  while depth < #blocks and not problem do
    depth = depth + 1
    problem = run_hooks(blocks[depth], "before_each")
  end
  problem = problem or attempt(case.body)
  for level = depth, 1, -1 do
    local late = run_hooks(blocks[level], "after_each")
    problem = problem or late
  end
  return problem
end

local function copy(problem)
  local result = {}
  for key, value in pairs(problem) do
    result[key] = value
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
    return { status = "skipped", message = case.mode == "todo" and "not written yet" or nil }
  end
  local blocks = blocks_around(case)
  self.running = case
  local problem = open(blocks) or run_body(case, blocks)
  for _, restore in ipairs(self.after) do
    local late = attempt(restore)
    problem = problem or late
  end
  local late = leave(blocks)
  self.running = nil
  problem = copy(problem or late or { status = "passed" })
  if problem.status ~= "passed" and not problem.line then
    problem.source, problem.line = case.source, case.line
  end
  return problem
end

--- Closes what a run that was cut short has left open.
---@return suite.Result[] problems
function Suite:finish()
  local problems = {}
  for index = #self.declared, 1, -1 do
    local blocks = blocks_around(self.declared[index])
    for depth = #blocks, 1, -1 do
      blocks[depth].left = 0
      problems[#problems + 1] = close(blocks[depth])
    end
  end
  return problems
end

suite.main = suite.new()

return suite
