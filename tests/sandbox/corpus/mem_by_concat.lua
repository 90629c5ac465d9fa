-- expect: contained-memory: a list of one long string, many times
return function()
  local part, list = ("x"):rep(100000), {}
  for index = 1, 1000 do
    list[index] = part
  end
  return table.concat(list)
end
