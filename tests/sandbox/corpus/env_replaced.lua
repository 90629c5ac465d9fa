-- expect: denied: another _ENV gives nothing that was not there
return function()
  local env = setmetatable({}, { __index = _ENV })
  load("x = 1", "x", "t", env)()
  assert(env.x == 1 and _ENV.x == nil)
  if load("return python or package", "x", "t", env)() then
    error("reached something")
  end
  return nil, "denied"
end
