local block = require("host.test.block")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

--- Two blocks, one in the other, whose hooks write a diary.
local function nested()
  local outer = block.new("outer", block.new("the file"))
  local inner, diary = block.new("inner", outer), {}
  for _, one in ipairs({ outer, inner }) do
    for kind, hooks in pairs(one.hooks) do
      hooks[1] = function()
        diary[#diary + 1] = kind .. " " .. one.name
      end
    end
  end
  return inner, diary, outer
end

describe("block.around", function()
  it("begins with the outermost", function()
    local names = {}
    for place, one in ipairs(block.around((nested()))) do
      names[place] = one.name
    end
    eq(names, { "the file", "outer", "inner" })
  end)
end)

describe("block.open and block.leave", function()
  it("run before_all once, and after_all behind the last planned test", function()
    local inner, diary = nested()
    local around = block.around(inner)
    for _, one in ipairs(around) do
      one.left = 2
    end
    block.open(around)
    block.leave(around)
    block.open(around)
    eq(diary, { "before_all outer", "before_all inner" })
    block.leave(around)
    eq(diary[3], "after_all inner")
    eq(diary[4], "after_all outer")
  end)

  it("stay closed when before_all goes wrong", function()
    local inner, _, outer = nested()
    outer.hooks.before_all[1] = function()
      error("no ground", 0)
    end
    local around = block.around(inner)
    local found = block.open(around)
    test.contains(found.message, "before_all of 'outer': no ground")
    test.is(block.open(around), found)
  end)

  it("tell of the first problem of after_all", function()
    local inner, _, outer = nested()
    outer.hooks.after_all[1] = function()
      error("left a mess", 0)
    end
    local around = block.around(inner)
    block.open(around)
    test.contains(block.leave(around).message, "after_all of 'outer': left a mess")
  end)
end)

describe("block.close", function()
  it("closes what is open, and nothing twice", function()
    local inner, diary = nested()
    test.is_nil(block.close(inner))
    eq(diary, {})
    block.open({ inner })
    block.close(inner)
    block.close(inner)
    eq(diary, { "before_all inner", "after_all inner" })
  end)
end)
