-- expect: contained-time: a replacement whose fields lie behind thousands of others
local deep = {}
for _ = 1, 1900 do
  deep = setmetatable({}, { __index = deep })
end

return function()
  return (("x"):rep(1000000):gsub("x", deep))
end
