-- expect: harmless: a class made in one message works in the next, with what it learned meanwhile
local Class = {}
Class.__index = Class

return function(body)
  local object = setmetatable({}, Class)
  if body == 1 then
    Class.__call = function()
      return "called"
    end
  else
    assert(object() == "called")
  end
end
