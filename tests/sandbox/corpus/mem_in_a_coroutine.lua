-- expect: contained-memory: all the memory, from inside a coroutine
return function()
  local hoard = {}
  coroutine.wrap(function()
    while true do
      hoard[#hoard + 1] = ("x"):rep(1000) .. #hoard
    end
  end)()
end
