-- expect: contained-time: pcalls where the C stack, full of gsub, has no room for a hook
local function spin()
  while true do
  end
end

local function at(n, f)
  if n == 0 then
    return f()
  end
  return (("x"):gsub("x", function()
    return at(n - 1, f)
  end))
end

return function()
  coroutine.wrap(function()
    local depth = 200
    while not pcall(at, depth, function()
      assert(pcall(rawlen, ""))
    end) do
      depth = depth - 1
    end
    at(depth, function()
      while true do
        pcall(spin)
        pcall(pcall, spin)
      end
    end)
  end)()
end
