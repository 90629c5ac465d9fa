-- expect: contained-time: the plainest one
return function()
  while true do
  end
end
