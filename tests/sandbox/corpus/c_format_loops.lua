-- expect: contained-time: format with everything it can do
return function()
  local s = ("x"):rep(200000)
  while true do
    pcall(string.format, "%q%s%99.99f", s, s, 1e308)
    pcall(string.format, ("%d"):rep(1000), 1)
  end
end
