local bare_names = require("host.walls.bare_names")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

--- A module whose functions answer what they are given.
local echo = {
  one = function(...)
    return ...
  end,
  two = function(...)
    return ...
  end,
  none = function(...)
    return ...
  end,
}
bare_names.takes(echo, { one = bare_names.first, two = bare_names.second })

local function bound(namespace)
  local functions = { one = echo.one, two = echo.two, none = echo.none }
  bare_names.bind(functions, echo, namespace)
  return functions
end

describe("bare_names.bind", function()
  local app = bound("app.queue")

  each(
    {
      { "orders", "app.queue:orders" },
      { "orders.dead", "app.queue:orders.dead" },
      { "shop:orders", "shop:orders" },
      { ":", ":" },
      { 7, 7 },
      { true, true },
    },
    "reads %s",
    function(row)
      local written, meant = row[1], row[2]
      eq({ app.one(written, "more") }, { meant, "more" })
      eq({ app.two("first", written) }, { "first", meant })
    end
  )

  it("leaves functions alone that take no names", function()
    test.ok(rawequal(app.none, echo.none))
  end)

  it("leaves names alone where there is no namespace", function()
    eq(bound("").one("orders"), "orders")
    eq(bound(nil).one("orders"), "orders")
  end)

  it("passes on every argument and every result", function()
    eq(select("#", app.one(nil, nil, nil)), 3)
  end)

  it("leaves the module as it was", function()
    eq(echo.one("orders"), "orders")
  end)
end)
