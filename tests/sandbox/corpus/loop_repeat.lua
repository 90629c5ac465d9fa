-- expect: contained-time: until never
return function()
  repeat
  until false
end
