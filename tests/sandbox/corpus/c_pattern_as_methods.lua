-- expect: contained-time: the methods of strings are the bounded ones
return function()
  local s = ("a"):rep(3000)
  while true do
    pcall(s.find, s, ".-.-.-.-.-.-b")
    pcall(function()
      return s:match(".-.-.-.-b"), s:gsub("a*a*a*b", "")
    end)
  end
end
