-- expect: denied: no table function writes through a read-only table
return function()
  for _, frozen in ipairs({ _G, string, math, require("json") }) do
    for _, call in ipairs({
      { table.insert, frozen, 1 },
      { table.insert, frozen, 1, 1 },
      { table.move, { 1 }, 1, 1, 1, frozen },
      { table.sort, frozen },
      { rawset, frozen, 1, 1 },
      { setmetatable, frozen, nil },
    }) do
      if pcall(table.unpack(call)) and frozen[1] ~= nil then
        error("reached the backing")
      end
    end
    pcall(table.remove, frozen)
    pcall(table.remove, frozen, 1)
    assert(table.concat(frozen) == "" and #frozen == 0)
  end
  return nil, "denied"
end
