-- expect: contained-time: metatables as garbage
return function()
  while true do
    local meta = { __index = {}, __call = print }
    setmetatable({}, meta)
    setmetatable(meta, { __index = meta })
  end
end
