-- expect: contained-time: two functions call each other at the end of themselves
local even, odd

function even(n)
  return odd(n)
end

function odd(n)
  return even(n)
end

return function()
  return even(1)
end
