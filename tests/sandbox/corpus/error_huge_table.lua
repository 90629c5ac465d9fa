-- expect: harmless (fails): a large table is cut, and soon
return function()
  local t = {}
  for index = 1, 20000 do
    t["key" .. index] = { index }
  end
  error(t)
end
