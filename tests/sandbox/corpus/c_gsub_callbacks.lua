-- expect: contained-time: gsub whose callback never ends
return function()
  return (("x"):gsub(".", function()
    while true do
    end
  end))
end
