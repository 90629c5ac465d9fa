-- expect: contained-time: __newindex
return function()
  local t = setmetatable({}, {
    __newindex = function(t, k)
      t[k] = k
    end,
  })
  while true do
    pcall(function()
      t.x = 1
    end)
  end
end
