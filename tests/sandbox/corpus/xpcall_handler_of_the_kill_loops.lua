-- expect: contained-time: the handler of the kill itself would never end
local function spin()
  while true do
  end
end

return function()
  while true do
    xpcall(spin, spin)
  end
end
