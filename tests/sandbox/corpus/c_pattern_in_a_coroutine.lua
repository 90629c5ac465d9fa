-- expect: contained-time: all of that where a hook must wait for its turn
return function()
  local s = ("a"):rep(5000)
  coroutine.wrap(function()
    while true do
      pcall(string.find, s, ".-.-.-b")
      pcall(string.gsub, s, ".-.-b", "")
      for _ in s:gmatch("a*a*b") do
      end
    end
  end)()
end
