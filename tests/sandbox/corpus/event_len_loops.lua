-- expect: contained-time: __len, asked by library functions
return function()
  local t = setmetatable({}, {
    __len = function()
      while true do
      end
    end,
  })
  while true do
    pcall(table.unpack, t)
    pcall(table.insert, t, 1)
    pcall(table.concat, t)
  end
end
