-- expect: contained-time: a? many times: exponential in C
return function()
  local n = 40
  while true do
    pcall(string.find, ("a"):rep(n), ("a?"):rep(n) .. ("a"):rep(n))
  end
end
