-- expect: contained-time: __index
return function()
  return setmetatable({}, {
    __index = function()
      while true do
      end
    end,
  }).x
end
