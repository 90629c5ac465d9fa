-- expect: contained-time: upper, lower and reverse of megabytes, in a coroutine
return function()
  local s = ("x"):rep(2000000)
  coroutine.wrap(function()
    while true do
      assert(s:upper() and s:lower() and s:reverse())
    end
  end)()
end
