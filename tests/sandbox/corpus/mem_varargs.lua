-- expect: contained-memory: arguments that grow until no stack holds them, each time from below
local hoard = {}

local function grow(n, ...)
  if n == 0 then
    hoard[#hoard + 1] = table.pack(...)
    return
  end
  return grow(n - 1, n, n, n, n, n, n, n, n, ...)
end

return function()
  while true do
    grow(200)
  end
end
