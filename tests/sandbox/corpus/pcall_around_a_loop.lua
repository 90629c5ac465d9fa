-- expect: contained-time: a pcall does not outlive the kill
return function()
  while true do
    pcall(function()
      while true do
      end
    end)
  end
end
