-- expect: denied: patterns that take other engines for ever, or RE2 its slow way
local regex = require("regex")

local CASES = {
  { "((?:a?){1000})(a{1000})$|b", ("a"):rep(100000) },
  { ("(.*%d)|"):rep(1000) .. "x", ("a"):rep(1000000) },
  { "a", ("a"):rep(1048577) },
}

return function()
  regex.compile("(a*)*b"):test(("a"):rep(1000000))
  regex.compile("(x+x+)+y"):test(("x"):rep(1000000))
  for _, case in ipairs(CASES) do
    if pcall(function()
      return regex.compile(case[1]):test(case[2])
    end) then
      error("it was tried", 0)
    end
  end
  error("denied", 0)
end
