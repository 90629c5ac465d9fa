-- expect: harmless: no finalizers, they would run where no hook fires
local ran = false

local function endless()
  ran = true
  while true do
  end
end

return function()
  for _ = 1, 200 do
    setmetatable({}, { __gc = endless })
    setmetatable({}, { __gc = true })
    local _ = ("x"):rep(100000) .. _
  end
  assert(not ran)
end
