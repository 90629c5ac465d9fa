-- expect: contained-time: the handler of an error never ends
return function()
  xpcall(error, function()
    while true do
    end
  end)
end
