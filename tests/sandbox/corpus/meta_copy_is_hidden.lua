-- expect: denied: the copy of a metatable that really works is never handed out
return function()
  local meta, handed = {}, nil
  meta.__index = function(...)
    handed = { ... }
  end
  local object = setmetatable({}, meta)
  local _ = object.x
  if getmetatable(object) ~= meta or handed[1] ~= object or #handed ~= 2 then
    error("reached the copy")
  end
  for key in pairs(meta) do
    assert(key == "__index")
  end
  return nil, "denied"
end
