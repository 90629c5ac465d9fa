-- expect: denied: what the host refuses comes back as an error value, not as an exception
local funcs, store = require("funcs"), require("store")

return function()
  local _, err = funcs.call("app:nobody")
  local _, other = store.open("app:nobody")
  for _, problem in ipairs({ err, other }) do
    assert(type(problem) == "table" and getmetatable(problem) == "error")
    assert(type(problem:message()) == "string" and problem:kind() == "NOT_FOUND")
    if problem.__class__ or problem.__traceback__ or problem:details() then
      error("reached an exception")
    end
  end
  return nil, "denied"
end
