-- expect: denied: no iterator hands out the table behind a read-only one
return function()
  for _, frozen in ipairs({ _G, string, table, require("json") }) do
    local step, state, first = pairs(frozen)
    if state ~= frozen or first ~= nil then
      error("reached the backing by pairs")
    end
    local key = step({}, nil)
    assert(type(key) == "string")
    local iterator = coroutine.wrap(pairs)
    local _, inner = iterator(frozen)
    if inner ~= frozen or rawlen(inner) ~= 0 then
      error("reached the backing by a coroutine")
    end
  end
  return nil, "denied"
end
