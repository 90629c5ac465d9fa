-- expect: contained-time: garbage as fast as can be
return function()
  while true do
    local t = { {}, {}, {} }
    t[1][1] = t
  end
end
