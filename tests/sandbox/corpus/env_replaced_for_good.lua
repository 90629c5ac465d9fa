-- expect: harmless: a file that replaces its own environment has it replaced, and nobody else
local real = _ENV
_ENV = setmetatable({}, { __index = real }) -- luacheck: ignore 431 113 111

return function()
  MARKER = 1 -- luacheck: ignore 111
  assert(real.MARKER == nil)
end
