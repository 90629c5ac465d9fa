local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

local function asked(name)
  local queue = test.queue("contract:asked")
  local id = queue:publish(name)
  return queue:step():result(id)
end

describe("10 permissions", function()
  each({ { name = "keep" }, { name = "contract:keep" } }, "know what {name} means", function(row)
    eq(asked(row.name), { read = "nil", call = "nil" })
  end)

  each(
    { { name = "patience" }, { name = "contract:patience" } },
    "forbid what {name} means",
    function(row)
      local said = asked(row.name)
      test.contains(said.read, "guest may not registry.read contract:patience")
      test.contains(said.call, "guest may not funcs.call contract:patience")
    end
  )

  it("are about what there is", function()
    test.contains(asked("kep").call, "'contract:kep'")
  end)
end)
