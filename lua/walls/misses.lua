--- What the last lent function did not find, or was not allowed, for the complaint that often
--- follows.
---
---     store.open("sen"):get("k")
---     --> attempt to index a nil value; the call before it found nothing: no entry 'app:sen' in
---     --> shop; did you mean `app:seen`?
---
--- A script that goes on with the nil of `nil, err` loses the error, and with it the hint.
local find = string.find

local misses = {}

---@type errors.Error?
misses.last = nil

--- A complaint that Lua raised, with what was not found or allowed before it.
---@param complaint string
---@return string
function misses.explain(complaint)
  local last = misses.last
  if last and find(complaint, "attempt to index a nil value", 1, true) then
    local found = last:kind() == "NOT_FOUND" and "found nothing" or "was refused"
    return complaint .. "; the call before it " .. found .. ": " .. last:message()
  end
  return complaint
end

return misses
