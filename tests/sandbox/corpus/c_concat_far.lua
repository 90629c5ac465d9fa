-- expect: contained-time: a list without an end
return function()
  local t = setmetatable({}, {
    __index = string.char,
    __len = function()
      return 1 << 40
    end,
  })
  while true do
    pcall(table.concat, t)
    pcall(table.concat, t, "", 1, 200)
    pcall(table.concat, {}, "", math.mininteger, math.maxinteger)
  end
end
