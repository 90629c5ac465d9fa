-- expect: contained-time: setting a metatable of a million fields over and over
return function()
  local meta = {}
  for index = 1, 100000 do
    meta[index] = index
  end
  while true do
    meta.__index = {}
    setmetatable({}, meta)
  end
end
