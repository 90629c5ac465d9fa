-- expect: contained-time: protected calls stacked up by yields, which give the C stack back
local function climb(n)
  if n % 100 == 0 then
    coroutine.yield()
  end
  pcall(climb, n + 1)
  while true do
  end
end

return function()
  local co = coroutine.wrap(climb)
  while true do
    pcall(co, 1)
  end
end
