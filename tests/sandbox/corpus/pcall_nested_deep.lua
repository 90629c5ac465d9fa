-- expect: contained-time: pcalls in pcalls
local function nest(n)
  if n == 0 then
    while true do
    end
  end
  repeat
    pcall(nest, n - 1)
  until false
end

return function()
  nest(150)
end
