-- expect: contained-time: a table whose keys collide, small enough for the hook to come in time
return function()
  while true do
    local t = {}
    for index = 1, 2000 do
      t[index << 40] = index
    end
    assert(next(t))
  end
end
