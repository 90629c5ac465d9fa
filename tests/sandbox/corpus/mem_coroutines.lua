-- expect: contained-memory: coroutines
return function()
  local t = {}
  while true do
    t[#t + 1] = coroutine.create(function() end)
  end
end
