local arguments = require("host.walls.arguments")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("arguments.text", function()
  it("takes numbers for texts", function()
    eq(arguments.text(1, "find", "a"), "a")
    eq(arguments.text(1, "find", 12), "12")
    eq(arguments.text(1, "find", 1.5), "1.5")
  end)

  it("refuses the rest", function()
    local says = "bad argument #1 to 'find' (string expected, got nil)"
    fails(says, arguments.text, 1, "find", nil)
  end)
end)

describe("arguments.integer", function()
  it("takes whole floats and texts of digits", function()
    eq(arguments.integer(3, "find", 4), 4)
    eq(arguments.integer(3, "find", 4.0), 4)
    eq(arguments.integer(3, "find", "4"), 4)
  end)

  it("takes the default for nil alone", function()
    eq(arguments.integer(3, "find", nil, 1), 1)
    fails("(number expected, got boolean)", arguments.integer, 3, "find", false, 1)
    fails("(number expected, got nil)", arguments.integer, 3, "find")
  end)

  it("refuses numbers that are not whole", function()
    fails("(number has no integer representation)", arguments.integer, 3, "find", 1.5)
    fails("(number has no integer representation)", arguments.integer, 3, "find", "1.5")
    fails("(number expected, got string)", arguments.integer, 3, "find", "x")
  end)
end)

describe("arguments.refuse", function()
  it("names the argument and the function", function()
    fails("bad argument #2 to 'rep' (too large)", arguments.refuse, 2, "rep", "too large")
  end)
end)
