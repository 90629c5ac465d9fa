-- expect: contained-time: C functions as metamethods, in a loop
return function()
  local t = setmetatable({}, { __index = rawget, __newindex = rawset, __call = select })
  while true do
    t.x = t.y
    pcall(t, "#")
  end
end
