-- expect: harmless: a finalizer that is added later never runs
local ran = false

local function make(meta)
  for _ = 1, 100 do
    setmetatable({}, meta)
  end
  function meta.__gc()
    ran = true
  end
end

return function()
  make({})
  for _ = 1, 100 do
    local _ = ("x"):rep(100000) .. _
  end
  assert(not ran)
end
