-- expect: harmless: variables that close themselves, in order
return function()
  local order = {}
  local function opened(name)
    return setmetatable({}, {
      __close = function(_, problem)
        order[#order + 1] = name .. tostring(problem)
      end,
    })
  end
  pcall(function()
    local _ <close> = opened("a")
    local _ <close> = opened("b")
    error("x", 0)
  end)
  assert(table.concat(order, " ") == "bx ax")
end
