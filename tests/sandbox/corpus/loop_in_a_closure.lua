-- expect: contained-time: a function made anew each time
return function()
  while true do
    local _ = (function(n)
      return n
    end)(1)
  end
end
