-- expect: contained-time: comparing long strings, in a coroutine
return function()
  local one, two = ("x"):rep(4000000) .. "1", ("x"):rep(4000000) .. "1"
  coroutine.wrap(function()
    while true do
      local _ = one == two or one < two
    end
  end)()
end
