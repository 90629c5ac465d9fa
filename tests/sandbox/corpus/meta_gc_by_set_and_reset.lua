-- expect: harmless: a placeholder does not make way for a finalizer either
local ran = false

return function()
  local meta = { __gc = false }
  local object = setmetatable({}, meta)
  meta.__gc = nil
  setmetatable({}, meta)
  function meta.__gc()
    ran = true
  end
  setmetatable(object, meta)
  object = nil
  for _ = 1, 100 do
    setmetatable({}, meta)
    local _ = ("x"):rep(100000) .. _
  end
  assert(not ran and object == nil)
end
