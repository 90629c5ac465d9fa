-- expect: contained-time: __concat
return function()
  local t = setmetatable({}, {})
  getmetatable(t).__concat = function(a, b)
    return b .. a
  end
  setmetatable(t, getmetatable(t))
  while true do
    pcall(function()
      return t .. t
    end)
  end
end
