-- expect: contained-time: __tostring, asked by print and format
return function()
  local t = setmetatable({}, {
    __tostring = function()
      while true do
      end
    end,
  })
  while true do
    pcall(print, t)
    pcall(string.format, "%s", t)
  end
end
