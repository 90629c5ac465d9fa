local blame = require("host.walls.blame")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

--- What is raised when a script calls `fn` here.
local function complaint(fn, ...)
  local _, message = pcall(fn, ...)
  return message
end

describe("blame", function()
  it("points at the script's line", function()
    local message = complaint(function()
      string.rep("x", {})
    end)
    test.matches(message, "^lua/walls/blame_test.lua:%d+: bad argument #2 to 'rep' ")
  end)

  it("counts as the script does: a method's arguments begin behind its object", function()
    local message = complaint(function()
      local text = "x"
      text:rep({})
    end)
    test.contains(message, "bad argument #1 to 'rep' (number expected, got table)")
  end)

  it("passes results and errors that are no texts", function()
    eq({ blame.call("f", select, 2, "a", "b") }, { "b" })
    local object = {}
    test.is(complaint(blame.call, "f", error, object), object)
  end)

  it("puts a complaint of C under the name that the script knows", function()
    local message = complaint(blame.call, "sort", math.floor, "x")
    test.contains(message, "number expected, got string")
  end)
end)
