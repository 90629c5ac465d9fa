-- expect: contained-memory: to the last byte, then a table as the error of a result
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
  return nil, { any = "table" }
end
