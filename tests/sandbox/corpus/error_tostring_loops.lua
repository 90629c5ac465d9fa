-- expect: contained-time: an error that never ends to say what it is
return function()
  error(setmetatable({}, {
    __tostring = function()
      while true do
      end
    end,
  }))
end
