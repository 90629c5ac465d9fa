-- expect: contained-time: as many jumps as are let through, over and over
return function()
  local source = ("x = a" .. (" or a"):rep(2000) .. "\n"):rep(4)
  while true do
    assert(load(source))
    assert(not load("x = a" .. (" or a"):rep(8000)))
  end
end
