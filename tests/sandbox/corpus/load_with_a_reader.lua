-- expect: denied: no reader functions
return function()
  local parts = { "return ", "1" }
  local ok = pcall(load, function()
    return table.remove(parts, 1)
  end)
  if ok then
    error("reached a reader")
  end
  return nil, "denied"
end
