-- expect: contained-time: protected calls by the thousand, which must all come down in time
local function climb(n)
  pcall(climb, n + 1)
  while true do
  end
end

return function()
  coroutine.wrap(climb)(1)
end
