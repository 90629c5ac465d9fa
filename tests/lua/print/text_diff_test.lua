local test = require("test")
local text_diff = require("host.print.text_diff")

local describe, it, eq = test.describe, test.it, test.eq

--- A text of up to six lines out of three, so that many are alike.
local function some_text(random)
  local lines = {}
  for index = 1, random(6) do
    lines[index] = ("abc"):sub(random(3)):sub(1, 1)
  end
  return table.concat(lines, "\n")
end

--- Numbers that are the same in every run.
local function dice(seed)
  return function(sides)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % sides + 1
  end
end

--- The text that is left without the lines of one mark.
local function without(lines, mark)
  local kept = {}
  for _, line in ipairs(lines) do
    if line:sub(1, 1) ~= mark then
      kept[#kept + 1] = line:sub(3)
    end
  end
  return table.concat(kept, "\n")
end

local function unchanged(lines)
  local count = 0
  for _, line in ipairs(lines) do
    count = count + (line:sub(1, 1) == " " and 1 or 0)
  end
  return count
end

--- The length of the longest list of lines that both have in this order, found the slow way.
local function most_common(a, b)
  if a == "" or b == "" then
    return 0
  elseif a:sub(1, 1) == b:sub(1, 1) then
    return 1 + most_common(a:sub(2), b:sub(2))
  end
  return math.max(most_common(a:sub(2), b), most_common(a, b:sub(2)))
end

describe("text_diff.all", function()
  it("holds both texts, with as many common lines as there can be", function()
    local random = dice(1)
    for _ = 1, 300 do
      local got, expected = some_text(random), some_text(random)
      local lines = text_diff.all(got, expected)
      eq(without(lines, "-"), got)
      eq(without(lines, "+"), expected)
      eq(unchanged(lines), most_common(got:gsub("\n", ""), expected:gsub("\n", "")))
    end
  end)

  it("takes texts too large to search in as wholly changed between their common ends", function()
    local got = "first\n" .. ("a\n"):rep(600) .. "last"
    local expected = "first\n" .. ("b\n"):rep(600) .. "last"
    local lines = text_diff.all(got, expected)
    eq({ lines[1], lines[2], lines[602], lines[1202] }, { "  first", "- b", "+ a", "  last" })
    eq(#lines, 1202)
  end)
end)

describe("text_diff.lines", function()
  it("marks what was expected and what is there", function()
    eq(text_diff.lines("one\ntwo\nthree", "one\n2\nthree"), { "  one", "- 2", "+ two", "  three" })
  end)

  it("finds an inserted line and leaves the others alone", function()
    eq(text_diff.lines("a\nnew\nb", "a\nb"), { "  a", "+ new", "  b" })
    eq(text_diff.lines("a\nb", "a\ngone\nb"), { "  a", "- gone", "  b" })
  end)

  it("keeps what both share between two changes", function()
    eq(text_diff.lines("1\nb\n3", "x\nb\ny"), { "- x", "+ 1", "  b", "- y", "+ 3" })
  end)

  it("leaves out what lies far from a change", function()
    local expected = "1\n2\n3\n4\n5\n6\n7\n8\n9"
    local got = expected:gsub("5", "five")
    eq(text_diff.lines(got, expected), { "  …", "  4", "- 5", "+ five", "  6", "  …" })
  end)

  it("is never longer than twelve lines", function()
    local got, expected = {}, {}
    for index = 1, 40 do
      got[index], expected[index] = "g" .. index, "e" .. index
    end
    local lines = text_diff.lines(table.concat(got, "\n"), table.concat(expected, "\n"))
    eq(#lines, 12)
    eq(lines[12], "… 69 more lines")
  end)

  it("shows twelve lines whole", function()
    local got, expected = ("g\n"):rep(6), ("e\n"):rep(6)
    local lines = text_diff.lines(got:sub(1, -2), expected:sub(1, -2))
    eq({ #lines, lines[12] }, { 12, "+ g" })
  end)

  it("shows of long lines where they differ", function()
    local same = ("same "):rep(40)
    local got = "head\n" .. same .. "got" .. same .. "\n" .. same .. "1\ntail"
    local expected = "head\n" .. same .. "expected" .. same .. "\n" .. same .. "2\ntail"
    local lines = text_diff.lines(got, expected)
    eq(lines[1], "  head")
    test.matches(lines[2], "^%- ….*same expectedsame.*…$")
    test.matches(lines[3], "^%- ….* same 2$")
    test.matches(lines[4], "^%+ ….*same gotsame.*…$")
    test.matches(lines[5], "^%+ ….* same 1$")
    for _, line in ipairs(lines) do
      test.lte(#line, 90)
    end
  end)

  it("leaves long lines without a counterpart as they are", function()
    local long = ("x"):rep(200)
    eq(text_diff.lines("a\n" .. long, "a"), { "  a", "+ " .. long })
  end)
end)
