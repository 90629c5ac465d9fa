-- expect: denied: a placeholder does not make way for a finalizer either
local ran = false

return function()
  local meta = { __gc = false }
  if pcall(setmetatable, {}, meta) then
    error("reached a finalizer")
  end
  meta.__gc = nil
  local object = setmetatable({}, meta)
  setmetatable({}, meta)
  function meta.__gc()
    ran = true
  end
  pcall(setmetatable, object, meta)
  object = nil
  for _ = 1, 100 do
    pcall(setmetatable, {}, meta)
    local _ = ("x"):rep(100000) .. _
  end
  if ran or object then
    error("reached a finalizer: it ran")
  end
  return nil, "denied"
end
