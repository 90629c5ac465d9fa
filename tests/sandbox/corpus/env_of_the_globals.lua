-- expect: denied: _G has no key that leads out, by any way of reading it
return function()
  local keys = {}
  for key in pairs(_G) do
    keys[#keys + 1] = key
  end
  assert(#keys > 20 and next(_G) == keys[1] and rawlen(_G) == 0)
  for _, key in ipairs({ "python", "package", "dofile", "loadstring", "newproxy", "jit" }) do
    if _G[key] or rawget(_G, key) or table.pack(pairs(_G))[key] then
      error("reached " .. key)
    end
  end
  return nil, "denied"
end
