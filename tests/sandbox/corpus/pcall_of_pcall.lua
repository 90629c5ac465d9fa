-- expect: contained-time: pcall handed to pcall, many times over
return function()
  while true do
    pcall(pcall, pcall, pcall, pcall, pcall, pcall, function()
      while true do
      end
    end)
  end
end
