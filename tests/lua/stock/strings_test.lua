local strings = require("host.stock.strings")
local test = require("test")

local describe, it, eq, fails, each = test.describe, test.it, test.eq, test.fails, test.each

local s = strings.new()

--- Where a call complains, and what it says.
local function complaint(run, ...)
  local ok, message = pcall(run, ...)
  test.is_false(ok, "a complaint")
  return message
end

--- Too long for C with patterns that backtrack.
local WORDS = ("alpha beta = gamma\n"):rep(5000)

describe("strings.new", function()
  it("gives each caller a table of its own", function()
    strings.new().find = nil
    test.is_function(strings.new().find)
  end)

  it("has no dump, which makes binary chunks", function()
    test.is_nil(s.dump)
  end)
end)

describe("find", function()
  it("finds in a subject that C could not be stopped in", function()
    eq({ s.find(WORDS .. "x", "(.-)x$", 90000) }, { 90000, 95001, WORDS:sub(90000) })
    eq({ s.find(WORDS, "(%a+)%s+=%s+(%a+)") }, { 7, 18, "beta", "gamma" })
    test.is_nil(s.find(WORDS, "%a+%d"))
  end)

  it("starts at init, from the end when it is negative", function()
    eq({ s.find(WORDS, "a%s*()=", -20) }, { 94991, 94993, 94993 })
    test.is_nil(s.find(WORDS, "a%s*=", #WORDS + 2))
    eq({ s.find(WORDS, "%s-$", #WORDS + 1) }, { 95001, 95000 })
  end)

  it("looks for plain text in windows, also across their edges", function()
    local subject = ("a"):rep(200000) .. "b"
    local text = ("a"):rep(30000) .. "b"
    eq({ s.find(subject, text) }, { 170001, 200001 })
    eq({ s.find(subject, text, 170001, true) }, { 170001, 200001 })
    test.is_nil(s.find(subject, text, 170002, true))
  end)

  it("takes numbers for text", function()
    eq({ s.find(12345, 34) }, { 3, 4 })
    eq({ s.find("abc", "c", "2") }, { 3, 3 })
  end)

  it("refuses what would run for ever", function()
    fails(
      "pattern too expensive for a subject of this length",
      s.find,
      ("a"):rep(40),
      ("a?"):rep(40) .. ("a"):rep(40)
    )
    fails("pattern too complex (at most 512 bytes", s.find, "a", ("%a"):rep(300))
  end)
end)

describe("match", function()
  it("trims a long text with spaces in the middle", function()
    local text = "a" .. (" "):rep(500) .. WORDS:rep(2) .. "b"
    eq(s.match("  " .. text .. " \n ", "^%s*(.-)%s*$"), text)
  end)

  it("takes the longest run that lets the rest match", function()
    eq({ s.match(WORDS, "^(.*)beta(.*)$", 94900) }, { WORDS:sub(94900, 94987), " = gamma\n" })
  end)

  it("knows what was captured, empty places, balance and frontiers", function()
    eq({ s.match(("-"):rep(20000) .. "abab", "()(%a-)%2()$") }, { 20001, "ab", 20005 })
    eq(s.match(("("):rep(20000) .. "x)", "%b()"), "(x)")
    eq({ s.match(WORDS, "%f[%w](%w-)%f[%W].-$", 94995) }, { "gamma" })
  end)
end)

describe("gmatch", function()
  it("walks over a long subject as stock Lua does", function()
    local lines, last = 0, nil
    for line in s.gmatch(WORDS, "(.-)\n") do
      lines, last = lines + 1, line
    end
    eq({ lines, last }, { 5000, "alpha beta = gamma" })
  end)

  it("does not find nothing right after a match", function()
    local places = {}
    for place, word in s.gmatch("ab,c", "()(%a*)") do
      places[#places + 1] = place .. word
    end
    eq(places, { "1ab", "4c" })
  end)

  it("takes a caret for a caret", function()
    eq(s.gmatch("a^b", "^.")(), "^b")
  end)
end)

describe("gsub", function()
  it("puts in text, captures, and what a function or table says", function()
    local long = WORDS:rep(2)
    for _, case in ipairs({
      { "%2=%1", "alpha gamma=beta" },
      { { beta = "B" }, "alpha B" },
      {
        function(name, value)
          return name .. #value
        end,
        "alpha beta5",
      },
      { {}, "alpha beta = gamma" },
    }) do
      local replacement, line = case[1], case[2]
      local text, count = s.gsub(long, "(%a+)%s*=%s*(%a+)", replacement)
      eq({ #text, count }, { (#line + 1) * 10000, 10000 })
      eq(text:sub(1, #line), line)
    end
  end)

  it("stops after so many", function()
    local text, count = s.gsub(WORDS, "%s*(%a+)%s*$", "<%0|%1>%%", 1)
    eq({ text:sub(-22), count }, { "beta =< gamma\n|gamma>%", 1 })
  end)

  it("writes a long replacement in pieces that can be interrupted", function()
    local replacement = ("%1"):rep(10) .. ("y"):rep(520000)
    local text, count = s.gsub(("a"):rep(20), "(x*)a", replacement)
    eq({ #text, count }, { 20 * 520000, 20 })
  end)

  each(
    {
      { "%2", "invalid capture index %2" },
      { "%x", "invalid use of '%' in replacement string" },
      { { a = {} }, "invalid replacement value (a table)" },
      { true, "bad argument #3 to 'gsub' (string/function/table expected, got boolean)" },
    },
    "says {2}",
    function(row)
      fails(row[2], s.gsub, "a", "a", row[1])
    end
  )

  it("makes nothing longer than 16 MiB", function()
    fails("resulting string too large", s.gsub, ("a"):rep(100), "a", ("b"):rep(1 << 20))
  end)

  it("leaves an error of the script's function as it is", function()
    local cause = {}
    local _, got = pcall(s.gsub, "a", "%a", function()
      error(cause)
    end)
    test.is(got, cause)
  end)
end)

describe("rep", function()
  it("repeats", function()
    eq(s.rep("ab", 3, "-"), "ab-ab-ab")
    eq(s.rep("ab", 1000), ("ab"):rep(500) .. ("ab"):rep(500))
    eq(s.rep(7, "2"), "77")
    eq(s.rep("x", -1), "")
  end)

  it("is done at once with nothing, however often", function()
    eq(s.rep("", 1e18), "")
    eq(s.rep("", math.maxinteger, ""), "")
  end)

  it("makes nothing longer than 16 MiB", function()
    fails("resulting string too large", s.rep, "ab", 1 << 24)
    fails("resulting string too large", s.rep, "a", 1 << 62, "abcd")
    fails("resulting string too large", s.rep, ("a"):rep(1000), 100000)
  end)
end)

describe("a wrong argument", function()
  it("is counted and named as the script wrote the call", function()
    eq(
      complaint(function()
        s.find("x", {})
      end):match(": (.*)"),
      "bad argument #2 to 'find' (string expected, got table)"
    )
    eq(
      complaint(function()
        local text = "x"
        text:find({})
      end):match(": (.*)"),
      "bad argument #1 to 'find' (string expected, got table)"
    )
    eq(
      complaint(function()
        s.match("x", "x", 1.5)
      end):match(": (.*)"),
      "bad argument #3 to 'match' (number has no integer representation)"
    )
  end)

  each(
    {
      { "[a", "malformed pattern (missing ']')" },
      { "%", "malformed pattern (ends with '%')" },
      { "(a", "unfinished capture" },
      { "a)", "invalid pattern capture" },
      { "%1", "invalid capture index %1" },
      { "%f", "missing '[' after '%f' in pattern" },
      { "%b", "malformed pattern (missing arguments to '%b')" },
    },
    "may be the pattern {1}",
    function(row)
      local message = complaint(function()
        s.match("aaa", row[1])
      end)
      test.matches(message, "strings_test%.lua:%d+: ")
      test.contains(message, row[2])
    end
  )

  it("may be nil", function()
    fails("bad argument #1 to 'upper' (string expected, got nil)", s.upper)
    fails("bad argument #2 to 'rep' (number expected, got nil)", s.rep, "x")
    fails("bad argument #1 to 'gmatch' (string expected, got nil)", s.gmatch)
  end)
end)
