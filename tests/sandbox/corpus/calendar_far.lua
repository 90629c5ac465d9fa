-- expect: denied: moments, spans and zones that there are not
local time = require("time")

return function()
  local tries = {
    function()
      return time.date(1e12)
    end,
    function()
      return time.date(0 / 0)
    end,
    function()
      return time.date(0, "../../etc/passwd")
    end,
    function()
      return time.date(0, ("x"):rep(1000000))
    end,
    function()
      return time.add(0, { days = 1000000000000 })
    end,
    function()
      return time.strftime(("%Y"):rep(1000))
    end,
    function()
      return time.strptime(("1"):rep(100000), "%Y")
    end,
  }
  for number, try in ipairs(tries) do
    local ok, value = pcall(try)
    if ok and value then
      error("it was answered: " .. number, 0)
    end
  end
  error("denied", 0)
end
