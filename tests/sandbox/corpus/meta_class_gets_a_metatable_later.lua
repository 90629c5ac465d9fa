-- expect: harmless: a class may become a child when it has objects already
return function()
  local Class = {}
  Class.__index = Class
  setmetatable({}, Class)
  local object = setmetatable({}, Class)
  setmetatable(Class, { __index = { inherited = true } })
  assert(object.inherited and setmetatable({}, Class).inherited)
end
