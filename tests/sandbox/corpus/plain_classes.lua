-- expect: harmless: objects with operators
local Vector = {}
Vector.__index = Vector

local function vector(x, y)
  return setmetatable({ x = x, y = y }, Vector)
end

function Vector.__add(a, b)
  return vector(a.x + b.x, a.y + b.y)
end

function Vector.__eq(a, b)
  return a.x == b.x and a.y == b.y
end

function Vector.__lt(a, b)
  return a:length() < b:length()
end

function Vector.__le(a, b)
  return a:length() <= b:length()
end

function Vector.__len()
  return 2
end

function Vector.__unm(a)
  return vector(-a.x, -a.y)
end

function Vector.__call(self, factor)
  return vector(self.x * factor, self.y * factor)
end

function Vector.__tostring(self)
  return "(" .. self.x .. ", " .. self.y .. ")"
end

function Vector.__concat(a, b)
  return tostring(a) .. tostring(b)
end

function Vector:length()
  return (self.x ^ 2 + self.y ^ 2) ^ 0.5
end

return function()
  local a, b = vector(3, 4), vector(1, 1)
  assert(a + b == vector(4, 5) and b < a and b <= a and #a == 2 and -a == vector(-3, -4))
  assert(a(2) == vector(6, 8) and tostring(a) == "(3, 4)" and a .. "" == "(3, 4)")
  assert(a:length() == 5)
end
