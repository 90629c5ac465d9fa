-- expect: contained-memory: to the last byte, then a module that is not loaded yet
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
  for _, name in ipairs({ "registry", "funcs", "uuid", "env", "time" }) do
    pcall(require, name)
  end
  require("logger").info("made it")
end
