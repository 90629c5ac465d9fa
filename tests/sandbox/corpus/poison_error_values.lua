-- expect: denied: an error value of the host's cannot be changed, and lies only about itself
local errors = require("errors")

return function()
  local err = errors.new({ kind = "TIMEOUT", message = "slow" })
  if pcall(rawset, err, "_kind", print) or pcall(setmetatable, err, {}) then
    error("reached an error value")
  end
  pcall(function()
    err._kind, err._message, err._retryable, err._stack = {}, print, "x", {}
  end)
  assert(type(err:kind()) == "string" and type(err:message()) == "string")
  assert(type(err:stack()) == "string" and type(tostring(err)) == "string")
  local methods = getmetatable(err)
  assert(methods == "error")
  return nil, "denied"
end
