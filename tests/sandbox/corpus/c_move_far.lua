-- expect: contained-time: ranges without an end
return function()
  while true do
    pcall(table.move, {}, 1, 1e15, 2)
    pcall(table.move, setmetatable({}, { __index = rawget }), 1, 1e15, 1, {})
  end
end
