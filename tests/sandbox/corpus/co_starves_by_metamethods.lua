-- expect: contained-time: pcalls where the C stack, full of metamethods, has no room for a hook
local function spin()
  while true do
  end
end

--- Runs `f` in `n` metamethods.
local function at(n, f)
  local deep = setmetatable({}, {
    __index = function(self, k)
      if k == 0 then
        return f()
      end
      return self[k - 1]
    end,
  })
  return deep[n]
end

return function()
  coroutine.wrap(function()
    local depth = 200
    while not pcall(at, depth, function()
      return assert(pcall(rawlen, ""))
    end) do
      depth = depth - 1
    end
    at(depth, function()
      while true do
        pcall(spin)
      end
    end)
  end)()
end
