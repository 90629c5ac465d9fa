-- expect: harmless (fails): memory that ran out and was given back is no reason to be stopped
local function fill()
  local hoard = {}
  while true do
    hoard[#hoard + 1] = ("x"):rep(100000) .. #hoard
  end
end

return function()
  local ok, problem = pcall(fill)
  error(tostring(ok) .. problem, 0)
end
