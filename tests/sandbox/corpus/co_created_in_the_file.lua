-- expect: contained-time: made while the file runs, resumed by the handler
local co = coroutine.wrap(function()
  while true do
    coroutine.yield()
    for _ = 1, 1000 do
    end
  end
end)

return function()
  while true do
    co()
  end
end
