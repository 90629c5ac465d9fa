--- Functions that remember how they were called.
---
---     local spy, fn = spies.new(function(x) return x + 1 end)
---     fn(2)      --> 3
---     spy.calls  --> { { 2 } }
local spies = {}

---@class spies.Spy
---@field calls any[][]  the arguments of each call, in order

--- A record, and the function that writes to it and answers like `answer`.
---@param answer function
---@return spies.Spy
---@return function
---@nodiscard
function spies.new(answer)
  local spy = { calls = {} }
  return spy, function(...)
    spy.calls[#spy.calls + 1] = { ... }
    return answer(...)
  end
end

return spies
