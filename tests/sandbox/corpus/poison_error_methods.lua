-- expect: denied: the methods of errors cannot be replaced
local errors = require("errors")

return function()
  local err = errors.new("x")
  if pcall(function()
    err.message = print
  end) or pcall(rawset, err, "message", print) then
    error("reached the methods")
  end
  assert(err.message(err) == "x")
  return nil, "denied"
end
