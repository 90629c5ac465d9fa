-- expect: denied: no finalizers, they would run where no hook fires
return function()
  local function endless()
    while true do
    end
  end
  if pcall(setmetatable, {}, { __gc = endless }) or pcall(setmetatable, {}, { __gc = true }) then
    error("reached a finalizer")
  end
  return nil, "denied"
end
