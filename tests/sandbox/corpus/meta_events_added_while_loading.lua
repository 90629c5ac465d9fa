-- expect: harmless: a file may make an object of a class before the class is complete
local Point = {}
Point.__index = Point

local function point(x)
  return setmetatable({ x = x }, Point)
end

local first = point(1)

function Point.__add(a, b)
  return point(a.x + b.x)
end

function Point.__lt(a, b)
  return a.x < b.x
end

return function()
  local sum = point(1) + point(2)
  assert(sum.x == 3 and point(1) < point(2) and first.x == 1)
end
