-- expect: contained-time: .- several times over
return function()
  local s = ("a"):rep(3000)
  while true do
    pcall(string.find, s, ".-.-.-.-.-.-b")
    pcall(string.match, s, ".-.-.-.-b")
  end
end
