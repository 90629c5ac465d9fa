-- expect: harmless: orders that raise, lie, or answer nonsense
return function()
  local list = {}
  for index = 1, 500 do
    list[index] = index % 7
  end
  pcall(table.sort, list, error)
  pcall(table.sort, list, function()
    return true
  end)
  pcall(table.sort, list, rawequal)
  pcall(table.sort, list, math.random)
  pcall(table.sort, list, function()
    list = nil
    return list
  end)
  pcall(table.sort, { 1, "x", {}, print })
end
