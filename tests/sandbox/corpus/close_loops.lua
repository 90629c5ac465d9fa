-- expect: contained-time: a variable whose closing never ends
return function()
  local _ <close> = setmetatable({}, {
    __close = function()
      while true do
      end
    end,
  })
end
