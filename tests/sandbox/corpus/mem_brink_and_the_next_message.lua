-- expect: contained-memory: full to the brink when the next message comes
local hoard = {}

return function(body)
  if body == 1 then
    pcall(function()
      while true do
        hoard[#hoard + 1] = ("x"):rep(1000) .. #hoard
      end
    end)
    for index = #hoard, #hoard - 3, -1 do
      hoard[index] = nil
    end
  end
  return "kept " .. #hoard
end
