local errors = require("errors")
local failure = require("host.test.failure")
local suite = require("host.test.suite")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

--- A suite that keeps a diary: every hook and test writes its name into it.
local function recorded()
  local s, diary = suite.new(), {}
  local function note(text)
    return function()
      diary[#diary + 1] = text
    end
  end
  return s, diary, note
end

local function hooks(s, note, name)
  for _, kind in ipairs({ "before_all", "after_all", "before_each", "after_each" }) do
    s:hook(kind, note(kind .. " " .. name))
  end
end

local function fall()
  error("fell down")
end

local function refute()
  failure.raise({ code = "T701", text = "expected 1, got 2", diff = { "at x" } })
end

describe("suite:cases", function()
  it("lists the tests in order, each with the blocks around it", function()
    local s, _, note = recorded()
    s:it("first", note(""))
    s:describe("outer", function()
      s:describe("inner", function()
        s:it("second", note(""))
      end)
      s:it("third", note(""))
    end)
    local cases = s:cases()
    eq({ cases[1].path, cases[1].name, cases[1].index }, { {}, "first", 1 })
    eq({ cases[2].path, cases[2].name, cases[2].index }, { { "outer", "inner" }, "second", 2 })
    eq({ cases[3].path, cases[3].name, cases[3].index }, { { "outer" }, "third", 3 })
  end)

  it("knows the line of each test", function()
    local s, _, note = recorded()
    s:it("here", note(""))
    s:it("one below", note(""))
    local cases = s:cases()
    test.matches(cases[1].source, "suite_test.lua$")
    eq(cases[2].line, cases[1].line + 1)
  end)

  it("knows the line in its block of a test that a helper declares", function()
    local s, _, note = recorded()
    local function helper(name)
      s:it(name, note(""))
    end
    s:describe("outer", function()
      s:it("plain", note(""))
      helper("below a helper")
      s:describe("inner", function()
        helper("deeper")
      end)
    end)
    local lines = {}
    for place, case in ipairs(s:cases()) do
      lines[place] = case.line - s:cases()[1].line
    end
    eq(lines, { 0, 1, 3 })
  end)

  it("says which are skipped, alone, or still to be written", function()
    local s, _, note = recorded()
    s:it("a", note(""), "skip")
    s:it("b", note(""), "only")
    s:it("c", nil, "todo")
    local flags = {}
    for index, case in ipairs(s:cases()) do
      flags[index] = { case.skip, case.only, case.todo }
    end
    eq(flags, { { true, false, false }, { false, true, false }, { false, false, true } })
  end)

  it("gives a test the tags of all blocks around it, even those written below it", function()
    local s, _, note = recorded()
    s:tag("file")
    s:describe("block", function()
      s:it("tagged", note(""))
      s:tag("slow", "db")
    end)
    s:it("outside", note(""))
    eq(s:cases()[1].tags, { "file", "slow", "db" })
    eq(s:cases()[2].tags, { "file" })
  end)
end)

describe("suite:each", function()
  each(
    {
      { template = "total: {name}", row = { name = "zero" }, name = "total: zero" },
      { template = "{a} and {b}", row = { a = 1, b = { 2 } }, name = "1 and { 2 }" },
      { template = "{1} is {2}", row = { "x", true }, name = "x is true" },
      { template = "shouts {}", row = "loud", name = "shouts loud" },
      { template = "no {such} field", row = {}, name = "no nil field" },
      { template = "no field", row = {}, name = "no field #1" },
      { template = "{not a field}", row = { a = 1 }, name = "{not a field} #1" },
    },
    "names the test of a row '{name}'",
    function(row)
      local s = suite.new()
      s:each({ row.row }, row.template, function() end)
      eq(s:cases()[1].name, row.name)
    end
  )

  it("gives each test its row", function()
    local s, seen = suite.new(), {}
    s:each({ "a", { "b" } }, "row", function(row)
      seen[#seen + 1] = row
    end)
    s:run(1)
    s:run(2)
    eq(seen, { "a", { "b" } })
  end)
end)

describe("suite:run", function()
  it("answers that a test passed", function()
    local s, diary, note = recorded()
    s:it("runs", note("ran"))
    eq(s:run(1), { status = "passed" })
    eq(diary, { "ran" })
  end)

  it("does not run what is skipped or unwritten", function()
    local s, diary, note = recorded()
    s:it("a", note("a"), "skip")
    s:it("b", nil, "todo")
    eq(s:run(1), { status = "skipped" })
    eq(s:run(2), { status = "skipped", message = "not written yet" })
    eq(diary, {})
  end)

  it("tells a failed assertion with its code, words, differences and line", function()
    local s = suite.new()
    s:it("is wrong", refute)
    local result = s:run(1)
    test.match(result, { status = "failed", code = "T701", message = "expected 1, got 2" })
    eq(result.diff, { "at x" })
    test.matches(result.source, "suite_test.lua$")
    test.is_number(result.line)
    test.is_nil(result.hook)
  end)

  it("tells a raised text with the place apart from the words", function()
    local s = suite.new()
    s:it("falls", fall)
    local result = s:run(1)
    test.match(result, { status = "error", code = "T710", message = "fell down" })
    test.matches(result.stack, "suite_test.lua:" .. result.line)
  end)

  each(
    {
      { value = { code = 7 }, message = "raised { code = 7 }" },
      { value = nil, message = "raised nil" },
      { value = errors.new({ kind = "TIMEOUT", message = "down" }), message = "TIMEOUT: down" },
      { value = errors.new("lost"), message = "lost" },
    },
    "tells what was raised: {message}",
    function(row)
      local s = suite.new()
      s:it("raises", function()
        error(row.value)
      end)
      eq(s:run(1).message, row.message)
    end
  )

  it("tells when a test recursed until stack or memory ran out", function()
    local s = suite.new()
    local function deeper()
      return 1 + deeper()
    end
    s:it("is too deep", deeper)
    local result = s:run(1)
    eq(result.status, "error")
    local words = result.message
    test.ok(words:find("stack overflow") or words:find("not enough memory"), words)
    test.is_number(result.line)
  end)

  it("is plain data even when a script forges a failure", function()
    local s = suite.new()
    s:it("forges", function()
      local ok, forged = pcall(refute)
      test.is_false(ok)
      forged.diff = { print }
      forged.message = {}
      error(forged)
    end)
    local result = s:run(1)
    test.is_string(result.message)
    test.is_string(result.diff[1])
  end)

  it("refuses a number that no test has", function()
    fails("no test 3 in this file", function()
      suite.new():run(3)
    end)
  end)
end)

describe("the hooks of a suite", function()
  it("run the outer block's first before a test and last after it", function()
    local s, diary, note = recorded()
    s:hook("before_each", note("before file"))
    s:hook("after_each", note("after file"))
    s:describe("block", function()
      s:hook("before_each", note("before block"))
      s:hook("after_each", note("after block"))
      s:it("test", note("test"))
    end)
    s:run(1)
    eq(diary, { "before file", "before block", "test", "after block", "after file" })
  end)

  it("run once around the planned tests of a block, in any order", function()
    local s, diary, note = recorded()
    s:describe("a", function()
      s:hook("before_all", note("open a"))
      s:hook("after_all", note("close a"))
      s:it("1", note("1"))
      s:it("2", note("2"))
      s:it("3", note("3"))
    end)
    s:describe("b", function()
      s:hook("before_all", note("open b"))
      s:hook("after_all", note("close b"))
      s:it("4", note("4"))
    end)
    s:plan({ 3, 4, 1 })
    for _, index in ipairs({ 3, 4, 1 }) do
      s:run(index)
    end
    eq(diary, { "open a", "3", "open b", "4", "close b", "1", "close a" })
  end)

  it("do not wait for a skipped test", function()
    local s, diary, note = recorded()
    s:describe("a", function()
      hooks(s, note, "a")
      s:it("1", note("1"))
      s:it("2", note("2"), "skip")
    end)
    s:plan({ 1, 2 })
    s:run(1)
    eq(diary, { "before_all a", "before_each a", "1", "after_each a", "after_all a" })
  end)

  it("run around every single test without a plan", function()
    local s, diary, note = recorded()
    s:hook("before_all", note("open"))
    s:hook("after_all", note("close"))
    s:it("1", note("1"))
    s:run(1)
    s:run(1)
    eq(diary, { "open", "1", "close", "open", "1", "close" })
  end)

  it("clean up after a failed test", function()
    local s, diary, note = recorded()
    s:hook("after_each", note("after"))
    s:hook("after_all", note("close"))
    s:it("fails", refute)
    eq(s:run(1).status, "failed")
    eq(diary, { "after", "close" })
  end)

  it("are named when they go wrong before a test, which then does not run", function()
    local s, diary, note = recorded()
    s:describe("outer", function()
      s:hook("before_each", refute)
      s:hook("after_each", note("after outer"))
      s:describe("inner", function()
        s:hook("before_each", note("before inner"))
        s:hook("after_each", note("after inner"))
        s:it("test", note("test"))
      end)
    end)
    local result = s:run(1)
    eq(result.status, "error", "not an assertion of the test")
    eq(result.hook, "before_each of 'outer'")
    eq(result.message, "before_each of 'outer': expected 1, got 2")
    eq(result.diff, { "at x" })
    eq(diary, { "after outer" }, "only what began is undone")
  end)

  it("are named when they go wrong after a test", function()
    local s = suite.new()
    s:hook("after_each", fall)
    s:it("passes", function() end)
    test.match(s:run(1), { status = "error", message = "after_each of the file: fell down" })
  end)

  it("do not hide the failure of the test before them", function()
    local s = suite.new()
    s:hook("after_each", fall)
    s:hook("after_all", fall)
    s:it("fails", refute)
    local result = s:run(1)
    test.match(result, { status = "failed", message = "expected 1, got 2" })
    eq({ result.also[1].message, result.also[2].message, #result.also }, {
      "after_each of the file: fell down",
      "after_all of the file: fell down",
      2,
    })
    eq(result.also[1].status, "error")
  end)

  it("are all run when they undo something, and each tells what went wrong", function()
    local s, diary, note = recorded()
    s:hook("after_each", fall)
    s:hook("after_each", note("after"))
    s:hook("after_all", fall)
    s:hook("after_all", note("close"))
    s:it("passes", function() end)
    local result = s:run(1)
    eq(diary, { "after", "close" })
    test.match(result, {
      status = "error",
      message = "after_each of the file: fell down",
      also = { { message = "after_all of the file: fell down" } },
    })
  end)

  it("tell a test only of what went wrong in its own", function()
    local s = suite.new()
    s:describe("a", function()
      s:hook("before_all", fall)
      s:hook("after_all", fall)
      s:it("1", function() end)
      s:it("2", function() end)
      s:it("3", function() end)
    end)
    s:plan({ 1, 2, 3 })
    test.is_nil(s:run(1).also)
    test.is_nil(s:run(2).also)
    eq(#s:run(3).also, 1)
  end)

  it("go wrong for all tests of their block when before_all does, and are not run again", function()
    local s, diary, note = recorded()
    s:describe("a", function()
      s:hook("before_all", note("open"))
      s:hook("before_all", fall)
      s:hook("after_all", note("close"))
      s:it("1", note("1"))
      s:it("2", note("2"))
    end)
    s:it("3", note("3"))
    s:plan({ 1, 2, 3 })
    eq(s:run(1).message, "before_all of 'a': fell down")
    eq(s:run(2).message, "before_all of 'a': fell down")
    eq(s:run(3).status, "passed")
    eq(diary, { "open", "close", "3" })
  end)

  it("make the last test an error when after_all goes wrong", function()
    local s = suite.new()
    s:hook("after_all", fall)
    s:it("1", function() end)
    s:it("2", function() end)
    s:plan({ 1, 2 })
    eq(s:run(1).status, "passed")
    test.match(s:run(2), { status = "error", hook = "after_all of the file" })
  end)
end)

describe("suite:finish", function()
  it("closes what is open, the inner blocks first, and only once", function()
    local s, diary, note = recorded()
    s:hook("after_all", note("close file"))
    s:describe("a", function()
      s:hook("after_all", note("close a"))
      s:it("1", note("1"))
      s:it("2", note("2"))
    end)
    s:plan({ 1, 2 })
    s:run(1)
    eq(s:finish(), {})
    s:finish()
    eq(diary, { "1", "close a", "close file" })
  end)

  it("tells what went wrong", function()
    local s = suite.new()
    s:hook("after_all", fall)
    s:it("1", function() end)
    s:it("2", function() end)
    s:plan({ 1, 2 })
    s:run(1)
    eq(s:finish()[1].message, "after_all of the file: fell down")
  end)
end)

describe("suite:after_test", function()
  it("runs after the hooks of a failed test", function()
    local s, diary, note = recorded()
    s:after_test(note("restored"))
    s:hook("after_each", note("after"))
    s:it("fails", refute)
    s:run(1)
    eq(diary, { "after", "restored" })
  end)

  it("makes an error of what goes wrong in it", function()
    local s = suite.new()
    s:after_test(fall)
    s:it("passes", function() end)
    eq(s:run(1).status, "error")
  end)
end)

describe("suite:current", function()
  it("names the running test with its blocks", function()
    local s, seen = suite.new(), nil
    s:describe("a", function()
      s:describe("b", function()
        s:it("c", function()
          seen = s:current()
        end)
      end)
    end)
    s:run(1)
    eq(seen, "a b c")
    test.is_nil(s:current())
  end)
end)

describe("a suite in wrong hands", function()
  each(
    {
      { "it 'x': function expected, got nil", "it", "x" },
      { "it: string expected, got nil", "it" },
      { "describe 'x': function expected, got nil", "describe", "x" },
      { "each 'x': table expected, got nil", "each", nil, "x" },
      { "before_each: function expected, got number", "hook", "before_each", 3 },
      { "tag: string expected, got number", "tag", 3 },
    },
    "says: {1}",
    function(row)
      local s = suite.new()
      local err = fails(row[1], s[row[2]], s, row[3], row[4])
      test.matches(err, "suite_test.lua:%d+: ")
    end
  )

  each({ "describe", "it", "tag" }, "refuses {} inside a test", function(method)
    local s = suite.new()
    s:it("outer", function()
      s[method](s, "inner", function() end)
    end)
    local message = method .. " belongs to the loading of the file, not inside the test 'outer'"
    eq(s:run(1).message, message)
  end)
end)
