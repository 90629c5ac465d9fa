-- expect: contained-time: each closing opens the next
local function open(n)
  local _ <close> = setmetatable({}, {
    __close = function()
      pcall(open, n + 1)
      open(n + 1)
    end,
  })
  error("on")
end

return function()
  while true do
    pcall(open, 1)
  end
end
