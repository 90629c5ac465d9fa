-- expect: harmless: five thousand results
return function()
  local t = {}
  for index = 1, 5000 do
    t[index] = index
  end
  return table.unpack(t)
end
