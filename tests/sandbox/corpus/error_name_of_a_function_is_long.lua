-- expect: harmless (fails): a long identifier does not get into tracebacks whole
local name = ("n"):rep(20000)
local source = "local function " .. name .. "(n) if n == 0 then error('deep') end "
source = source .. name .. "(n - 1) return 1 end return " .. name

return function()
  load(source)()(30)
end
