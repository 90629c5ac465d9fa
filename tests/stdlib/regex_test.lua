local regex = require("regex")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

local day = regex.compile([[(?P<year>\d{4})-(\d\d)-(\d\d)]])

describe("regex:find and regex:match", function()
  it("answer what those of string do", function()
    eq({ day:find("on 2026-01-31") }, { 4, 13, "2026", "01", "31" })
    eq({ day:match("on 2026-01-31") }, { "2026", "01", "31" })
    eq({ regex.compile("b+"):find("abbc") }, { 2, 3 })
    eq(regex.compile("b+"):match("abbc"), "bb")
    test.is_nil(day:find("never"))
    test.is_nil(day:match("never"))
  end)

  it("begin where they are told to", function()
    local digit = regex.compile([[\d]])
    eq(digit:match("1 2 3", 2), "2")
    eq(digit:match("1 2 3", -1), "3")
    eq(digit:find("1 2 3", -99), 1)
    test.is_nil(digit:find("1", 3))
    eq({ regex.compile(""):find("ab", 3) }, { 3, 2 })
  end)

  it("see the text before the place where they begin", function()
    test.is_nil(regex.compile([[\bb]]):find("ab", 2))
    test.is_nil(regex.compile("^b"):find("ab", 2))
  end)

  it("answer false for a group that took no part", function()
    eq({ regex.compile("a|(b)"):match("a") }, { false })
    eq({ regex.compile("(x)?(a)"):match("a") }, { false, "a" })
  end)
end)

describe("regex:test", function()
  it("says whether there is a match", function()
    eq(day:test("2026-01-31"), true)
    eq(day:test("2026"), false)
  end)
end)

describe("regex:groups", function()
  it("answers groups by number and by name", function()
    local found = day:groups("on 2026-01-31")
    eq(found, { [0] = "2026-01-31", "2026", "01", "31", year = "2026" })
    test.is_nil(day:groups("never"))
    eq(regex.compile("(?P<a>x)|(?P<b>y)"):groups("y"), { [0] = "y", [2] = "y", b = "y" })
  end)
end)

describe("regex:gmatch", function()
  it("answers every match in turn", function()
    local seen = {}
    for key, value in regex.compile([[(\w+)=(\w+)]]):gmatch("a=1, b=2") do
      seen[#seen + 1] = key .. value
    end
    eq(seen, { "a1", "b2" })
  end)

  it("goes on behind a group that took no part", function()
    local count = 0
    for _ in regex.compile("a|(b)"):gmatch("aba") do
      count = count + 1
    end
    eq(count, 3)
  end)

  it("finds what is empty between characters, never in the midst of one", function()
    local count = 0
    for _ in regex.compile("x*"):gmatch("üö") do
      count = count + 1
    end
    eq(count, 3)
  end)
end)

describe("regex:gsub", function()
  it("takes a text with groups in it", function()
    eq({ day:gsub("2026-01-31", "%3.%2.%1") }, { "31.01.2026", 1 })
    eq({ regex.compile("b"):gsub("abab", "<%0>%%") }, { "a<b>%a<b>%", 2 })
    eq(regex.compile("(x)?a"):gsub("a", "[%1]"), "[]")
  end)

  it("takes a table or a function", function()
    local word = regex.compile([[\$(\w+)]])
    eq(word:gsub("$a $b", { a = "1" }), "1 $b")
    eq(
      word:gsub("$a $b", function(name)
        return name == "b" and name:upper() or nil
      end),
      "$a B"
    )
  end)

  it("stops after as many as are wanted", function()
    eq({ regex.compile("a"):gsub("aaa", "b", 2) }, { "bba", 2 })
    eq({ regex.compile("a"):gsub("aaa", "b", 0) }, { "aaa", 0 })
  end)

  it("refuses what cannot be put in", function()
    local a = regex.compile("(a)")
    fails("replacement: string, table or function expected, got nil", a.gsub, a, "a")
    fails("invalid replacement value (a table)", a.gsub, a, "a", function()
      return {}
    end)
    fails("invalid capture index %2", a.gsub, a, "a", "%2")
  end)
end)

describe("regex:split", function()
  it("answers what is between the matches", function()
    local comma = regex.compile([[\s*,\s*]])
    eq(comma:split("a , b,c"), { "a", "b", "c" })
    eq(comma:split("a,b,c", 2), { "a", "b,c" })
    eq(comma:split("a,b", 1), { "a,b" })
    eq(comma:split(""), { "" })
  end)
end)

describe("regex.compile", function()
  it("knows its options", function()
    eq(regex.compile("ab", { ignore_case = true }):test("AB"), true)
    eq(regex.compile("a.b"):test("a\nb"), false)
    eq(regex.compile("a.b", { dot_all = true }):test("a\nb"), true)
    eq(regex.compile("^b$"):test("a\nb"), false)
    eq(regex.compile("^b$", { lines = true }):test("a\nb"), true)
    eq(regex.compile("^.$"):test("ü"), true)
    eq(regex.compile("^.$"):test("\xff"), false)
    eq(regex.compile("^.$", { bytes = true }):test("\xff"), true)
    eq(regex.compile([[^\pL+$]]):test("äpfel"), true)
  end)

  it("raises at its caller for a pattern that is malformed", function()
    fails("regex.compile: malformed pattern (missing ): (a)", regex.compile, "(a")
    fails("regex.compile: malformed pattern", regex.compile, [[(a)\1]])
    fails("regex.compile: malformed pattern (invalid UTF-8", regex.compile, "\xff")
    fails("regex.compile: pattern: string expected, got nil", regex.compile)
    fails("unknown option 'icase'", regex.compile, "a", { icase = true })
  end)

  it("refuses patterns that are too large", function()
    fails("more than 16384", regex.compile, ("a"):rep(16385))
    fails("101 groups, more than 100", regex.compile, ("()"):rep(101))
    fails("malformed pattern", regex.compile, "((a{1000}){1000})")
  end)
end)

describe("a regex", function()
  it("takes no time for what takes others for ever", function()
    local subject = ("a"):rep(1000000)
    eq(regex.compile("(a*)*b"):test(subject), false)
    eq(regex.compile("(a|aa)+$"):test(subject), true)
  end)

  it("refuses a pattern that is too expensive for the subject", function()
    local dear = regex.compile("((?:a?){1000})(a{1000})$|b")
    fails("the pattern is too expensive for a subject of 100000 bytes", function()
      return dear:test(("a"):rep(100000))
    end)
    eq(dear:test(("a"):rep(1000)), true)
  end)

  it("refuses subjects above 1 MiB, and more matches than 10000", function()
    local a = regex.compile("a")
    fails("the subject has 1048577 bytes, more than 1048576", a.test, a, ("a"):rep(1048577))
    fails("more than 10000 matches", a.gsub, a, ("a"):rep(10001), "b")
    eq(select(2, a:gsub(("a"):rep(10000), "b")), 10000)
  end)

  it("is called with a colon", function()
    fails("is called with a colon", day.test, "2026-01-31")
    fails("is called with a colon", day.test, {}, "2026-01-31")
    fails("regex:test: subject: string expected, got nil", day.test, day)
  end)
end)

describe("regex.escape", function()
  it("makes a pattern that matches just the text", function()
    local odd = [[a.b*c\d+[x]{1}(y)|^$?]]
    eq(regex.compile("^" .. regex.escape(odd) .. "$"):test(odd), true)
    eq(regex.compile(regex.escape("a.c")):test("abc"), false)
  end)
end)
