-- expect: contained-memory: many strings
return function()
  local t = {}
  while true do
    t[#t + 1] = ("x"):rep(100) .. #t
  end
end
