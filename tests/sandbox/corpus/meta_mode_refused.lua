-- expect: denied: no weak tables, a new metatable would corrupt memory
return function()
  for _, mode in ipairs({ "k", "v", "kv", "", 1 }) do
    if pcall(setmetatable, {}, { __mode = mode }) then
      error("reached a weak table")
    end
  end
  return nil, "denied"
end
