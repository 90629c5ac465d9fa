-- expect: contained-time: errors as fast as they can be raised
return function()
  while true do
    pcall(error)
  end
end
