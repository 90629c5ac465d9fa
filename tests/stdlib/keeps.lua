--- Keeps the scope in which it first ran, and later tries to call within it, whoever calls it then.
local funcs = require("funcs")
local security = require("security")

local kept = security.scope()
local caller = kept and funcs.new():with_scope(kept)

return function(what, code)
  if what == "look" then
    return kept:contains("secure:all")
  elseif what == "again" then
    return funcs.new():with_scope(kept):call("does", code)
  end
  return caller:call("does", code)
end
