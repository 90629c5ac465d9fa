-- expect: harmless: classes over classes
local Base = {}
Base.__index = Base

function Base.new(class, n)
  return setmetatable({ n = n }, class)
end

function Base:twice()
  return self.n * 2
end

function Base.__tostring(self)
  return "<" .. self.n .. ">"
end

local Derived = setmetatable({}, { __index = Base, __call = Base.new })
Derived.__index = Derived
Derived.__tostring = Base.__tostring

function Derived:thrice()
  return self.n * 3
end

return function()
  local object = Derived(7)
  assert(object:twice() == 14 and object:thrice() == 21 and tostring(object) == "<7>")
  assert(getmetatable(object) == Derived and getmetatable(Derived).__index == Base)
end
