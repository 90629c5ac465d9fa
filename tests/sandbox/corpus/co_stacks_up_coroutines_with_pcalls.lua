-- expect: contained-time: the same in as many coroutines as can wait for each other
local function climb(n, stop)
  if n == stop then
    coroutine.wrap(climb)(1, stop)
  end
  pcall(climb, n + 1, stop)
  while true do
  end
end

return function()
  for stop = 1000, 100, -100 do
    pcall(coroutine.wrap(climb), 1, stop)
  end
end
