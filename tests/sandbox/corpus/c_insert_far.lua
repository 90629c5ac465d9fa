-- expect: contained-time: a length that is a lie
return function()
  local t = setmetatable({}, {
    __len = function()
      return 1000000000000000
    end,
  })
  while true do
    pcall(table.insert, t, 1, 1)
    pcall(table.remove, t, 1)
  end
end
