-- expect: contained-time: __lt, __le and __eq
local meta = {}
local function spin()
  while true do
  end
end
meta.__lt, meta.__le, meta.__eq = spin, spin, spin

return function()
  local a, b = setmetatable({}, meta), setmetatable({}, meta)
  while true do
    pcall(function()
      return a < b or a <= b or a == b
    end)
  end
end
