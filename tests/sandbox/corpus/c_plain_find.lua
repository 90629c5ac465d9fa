-- expect: contained-time: a plain search, quadratic on megabytes
return function()
  local s = ("a"):rep(3 << 20)
  local needle = ("a"):rep(1 << 20) .. "b"
  while true do
    s:find(needle, 1, true)
  end
end
