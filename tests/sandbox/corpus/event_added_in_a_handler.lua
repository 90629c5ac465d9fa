-- expect: harmless: what a handler adds to a class in use counts from the next message
local Class = {}

return function(body)
  local object = setmetatable({}, Class)
  if body == 1 then
    function Class.__call()
      return "called"
    end
    Class.__index = { n = 1 }
    assert(setmetatable({}, Class).n == 1)
  else
    assert(object() == "called" and object.n == 1)
  end
end
