-- expect: contained-time: calls that leave no frame
local function ping(n)
  return ping(n + 1)
end

return function()
  return ping(0)
end
