-- expect: contained-time: __pairs that never comes to an end
return function()
  for _ in
    pairs(setmetatable({}, {
      __pairs = function()
        return function()
          return 1
        end
      end,
    }))
  do
  end
end
