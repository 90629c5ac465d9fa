-- expect: harmless: two tables of methods that call themselves equal are still two
return function()
  local same = {
    __eq = function()
      return true
    end,
  }
  local class = { __index = setmetatable({ n = 1 }, same) }
  assert(setmetatable({}, class).n == 1)
  assert(setmetatable({}, class).n == 1)
  class.__index = setmetatable({ n = 2 }, same)
  assert(setmetatable(setmetatable({}, class), class).n == 2)
end
