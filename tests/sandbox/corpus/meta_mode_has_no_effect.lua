-- expect: harmless: no weak tables, a new metatable would corrupt memory
return function()
  for _, mode in ipairs({ "k", "v", "kv", "", 1 }) do
    local object = setmetatable({ {} }, { __mode = mode })
    object[{}] = 1
    for round = 1, 20 do
      setmetatable(object, { __mode = mode })
      local _ = ("x"):rep(300000) .. round
    end
    local count = 0
    for _ in pairs(object) do
      count = count + 1
    end
    assert(count == 2)
  end
end
