-- expect: contained-time: captures that are looked for again
return function()
  local s = ("ab"):rep(20000)
  while true do
    pcall(string.find, s, "(.*)%1x")
    pcall(string.find, s, "(a.-)(b.-)%1%2x")
  end
end
