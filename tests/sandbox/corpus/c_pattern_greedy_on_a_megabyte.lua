-- expect: contained-time: .*b and %b() on a megabyte
return function()
  local s = ("("):rep(1 << 20)
  while true do
    pcall(string.find, s, ".*b")
    pcall(string.find, s, "%b()")
    pcall(string.find, s, "[^)]*)")
  end
end
