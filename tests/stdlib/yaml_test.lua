local errors = require("errors")
local json = require("json")
local test = require("test")
local yaml = require("yaml")

local describe, it, eq = test.describe, test.it, test.eq

describe("yaml.decode", function()
  for text, expected in pairs({
    ["a: 1\nb: [x, 2.5, true]\n"] = { a = 1, b = { "x", 2.5, true } },
    ["on: yes\nport: 010\ntime: 12:30"] = { on = "yes", port = 10, time = "12:30" },
    ["- |\n  two\n  lines\n- >\n  one\n  line"] = { "two\nlines\n", "one line" },
    ['"quoted"'] = "quoted",
    ["0x1F"] = 31,
    ["a: &x {b: 1}\nc: *x"] = { a = { b = 1 }, c = { b = 1 } },
    ["${env:HOME}"] = "${env:HOME}",
    ["1: one"] = { ["1"] = "one" },
  }) do
    it(("reads %q"):format(text), function()
      eq(yaml.decode(text), expected)
    end)
  end

  it("reads nothing as null", function()
    eq(yaml.decode(""), json.null)
    eq(yaml.decode("a: ~"), { a = json.null })
  end)

  for text, message in pairs({
    ["a: [1"] = "yaml.decode: line 1, column 4: this `[` is never closed",
    ["a: 1\na: 2"] = "yaml.decode: line 2, column 1: `a` is written twice",
    ["--- 1\n--- 2"] = "one file holds one document",
    ["!!python/object:os.system x"] = "moonq knows no YAML tags",
    ["<<: {a: 1}"] = "`<<` does not merge maps",
    ["&a [*a]"] = "`*a` contains itself",
    ["99999999999999999999"] = "this number does not fit into 64 bits",
    [".inf"] = "`.inf` and `.nan` are no values of JSON",
    ["\xff"] = "not UTF-8",
    ["\0"] = "yaml.decode: ",
  }) do
    it(("answers an error to %q"):format(text), function()
      local value, err = yaml.decode(text)
      test.is_nil(value)
      eq(err:kind(), errors.INVALID)
      test.contains(err:message(), message)
    end)
  end

  it("refuses what a small text would grow to", function()
    local lines = { "a: &a [x, x, x, x, x, x, x, x, x]" }
    for level = 1, 8 do
      local before = string.char(96 + level)
      local name = string.char(97 + level)
      lines[#lines + 1] = ("%s: &%s [%s]"):format(name, name, (("*%s, "):format(before)):rep(9))
    end
    local bomb = table.concat(lines, "\n")
    test.ok(#bomb < 500)
    test.contains(select(2, yaml.decode(bomb)):message(), "aliases expand to too many values")
  end)

  it("refuses what is nested too deep, and texts that are too long, at once", function()
    for _, text in ipairs({ "[", "{", "- ", "? ", "[a, " }) do
      test.contains(select(2, yaml.decode(text:rep(20000))):message(), "yaml.decode: ")
    end
    test.contains(select(2, yaml.decode(("x"):rep(262145))):message(), "more than 262144")
  end)
end)

describe("yaml.encode", function()
  it("writes what is read back as it was", function()
    for _, value in ipairs({
      { name = "Ann", port = 8080, ratio = 0.5, tags = { "a", "b" }, deep = { er = { 1 } } },
      {
        "yes",
        "on",
        "null",
        "~",
        "010",
        "0o17",
        "1_000",
        "12:30",
        "1e3",
        "true",
        "",
        " x ",
        "-",
        "a: b",
      },
      {
        "two\nlines",
        "ends\n",
        "\ttab",
        "ü",
        "#no",
        "*a",
        "&a",
        "!t",
        "[x",
        "'",
        '"',
        "\0",
        "\x1b",
      },
      { json.null, true, false, 0, -1, 9223372036854775807, 1.0, 1e300 },
      { [""] = "", ["a b"] = {}, ["yes"] = "no", ["1"] = 1 },
      "text",
      7,
    }) do
      eq(yaml.decode(yaml.encode(value)), value)
    end
  end)

  it("writes as a person would", function()
    eq(
      yaml.encode({ name = "Ann", notes = "two\nlines\n", list = { "a" } }),
      [[
list:
- a
name: Ann
notes: |
  two
  lines
]]
    )
  end)

  it("answers an error to what it has no words for", function()
    local text, err = yaml.encode({ a = { print } })
    test.is_nil(text)
    test.contains(err:message(), "yaml.encode: ")
    test.contains(err:message(), "value.a[1] is a function")
  end)
end)
