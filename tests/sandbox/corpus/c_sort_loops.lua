-- expect: contained-time: an order that never decides
return function()
  table.sort({ 1, 2, 3 }, function()
    while true do
    end
  end)
end
