-- expect: contained-memory: a list
return function()
  local t = {}
  while true do
    table.insert(t, 1.5)
  end
end
