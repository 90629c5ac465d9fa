-- expect: contained-time: a long table behind a metatable, with orders written in C
return function()
  local function long()
    return setmetatable({}, {
      __len = function()
        return 150000
      end,
      __index = function(_, index)
        return index * 7919 % 150001
      end,
      __newindex = function() end,
    })
  end
  while true do
    pcall(table.sort, long(), math.ult)
    pcall(table.sort, long(), rawequal)
    table.sort(long())
  end
end
