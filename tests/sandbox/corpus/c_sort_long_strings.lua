-- expect: contained-time: many references to a few long strings that differ at their ends
return function()
  local one, two = ("x"):rep(2000000) .. "1", ("x"):rep(2000000) .. "2"
  local list = {}
  for index = 1, 100000 do
    list[index] = index % 2 == 0 and one or two
  end
  while true do
    table.sort(list)
  end
end
