-- expect: contained-time: nothing replaced by much, everywhere
return function()
  local s = ("x"):rep(100000)
  while true do
    pcall(string.gsub, s, "", ("y"):rep(50))
    pcall(string.gsub, s, "x*", "%0%0")
  end
end
