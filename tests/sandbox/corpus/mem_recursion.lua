-- expect: contained-memory: a stack that grows
local function deep(n)
  return 1 + deep(n + 1)
end

return function()
  return deep(1)
end
