-- expect: contained-memory: to the last byte, then print
local hoard = {}

local function fill(size)
  while true do
    hoard[#hoard + 1] = ("x"):rep(size) .. #hoard
  end
end

return function()
  for _, size in ipairs({ 100000, 1000, 10, 0 }) do
    pcall(fill, size)
  end
  print("made it", hoard)
end
