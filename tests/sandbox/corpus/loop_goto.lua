-- expect: contained-time: a jump
return function()
  ::again::
  goto again
end
