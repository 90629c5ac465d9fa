-- expect: contained-time: __call of itself
return function()
  local t
  t = setmetatable({}, {
    __call = function(self)
      return self()
    end,
  })
  return t()
end
