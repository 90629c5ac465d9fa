-- expect: contained-time: pcall in a coroutine, in a loop, in a coroutine
return function()
  local function spin()
    while true do
      pcall(function()
        while true do
        end
      end)
    end
  end
  while true do
    pcall(coroutine.wrap(function()
      while true do
        pcall(coroutine.wrap(spin))
      end
    end))
  end
end
