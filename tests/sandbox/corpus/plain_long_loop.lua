-- expect: harmless: a hundred thousand steps of everything
return function()
  local t, co =
    {}, coroutine.wrap(function()
      while true do
        coroutine.yield(1)
      end
    end)
  for index = 1, 5000 do
    t[index % 100] = setmetatable({ index }, { __index = t })
    pcall(tostring, index)
    assert(co() == 1)
  end
end
