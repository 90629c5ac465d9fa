-- expect: contained-time: an endless table is read and written in Lua
return function()
  local list = setmetatable({}, {
    __len = function()
      return (1 << 31) - 2
    end,
    __index = function(_, index)
      return index % 7
    end,
    __newindex = function() end,
  })
  while true do
    pcall(table.sort, list)
  end
end
