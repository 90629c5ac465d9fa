local test = require("test")
local uuid = require("uuid")

local describe, it, eq = test.describe, test.it, test.eq

describe("uuid.v4", function()
  it("has its version and its variant in place", function()
    for _ = 1, 50 do
      test.matches(uuid.v4(), "^%x+%-%x+%-4%x%x%x%-[89ab]%x%x%x%-%x+$")
    end
  end)

  it("never comes twice", function()
    local seen = {}
    for _ = 1, 1000 do
      local id = uuid.v4()
      test.is_nil(seen[id])
      seen[id] = true
    end
  end)
end)

describe("uuid.v7", function()
  it("has its version and its variant in place", function()
    for _ = 1, 50 do
      test.matches(uuid.v7(), "^%x+%-%x+%-7%x%x%x%-[89ab]%x%x%x%-%x+$")
    end
  end)

  it("grows strictly, more often than a millisecond has numbers", function()
    local last = ""
    for _ = 1, 10000 do
      local id = uuid.v7()
      test.ok(id > last, id .. " after " .. last)
      last = id
    end
  end)
end)

describe("uuid.is_valid", function()
  for _, case in ipairs({
    { "9b2f6a0e-5c1d-4f0e-8a4b-0d6f3c1e7a52", true },
    { "9B2F6A0E-5C1D-4F0E-8A4B-0D6F3C1E7A52", true },
    { "00000000-0000-0000-0000-000000000000", true },
    { "9b2f6a0e5c1d4f0e8a4b0d6f3c1e7a52", false },
    { "9b2f6a0e-5c1d-4f0e-8a4b-0d6f3c1e7a5", false },
    { "9b2f6a0e-5c1d-4f0e-8a4b-0d6f3c1e7a5g", false },
    { "9b2f6a0e-5c1d-4f0e-8a4b-0d6f3c1e7a52\n", false },
    { "", false },
    { 7, false },
  }) do
    local text, expected = case[1], case[2]
    it(("says %s of %q"):format(expected, text), function()
      eq(uuid.is_valid(text), expected)
    end)
  end

  it("takes what this module makes", function()
    eq(uuid.is_valid(uuid.v4()), true)
    eq(uuid.is_valid(uuid.v7()), true)
  end)
end)
