-- expect: harmless: a class that complains about unknown names can still make objects
return function()
  local Class = setmetatable({}, {
    __index = function(_, name)
      error("no field " .. name)
    end,
  })
  for _ = 1, 3 do
    local object = setmetatable({ n = 1 }, Class)
    assert(object.n == 1 and object.m == nil)
  end
  Class.__index = { m = 2 }
  assert(setmetatable({}, Class).m == 2)
end
