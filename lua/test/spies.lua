--- Functions that remember how they were called.
---
---     local spy, fn = spies.new(function(x) return x + 1 end)
---     fn(2)      --> 3
---     spy.calls  --> { { 2 } }
local spies = {}

---@class spies.Spy  what stands in for a function, and knows its calls
---@field calls any[][]  the arguments of each call, in order

--- A function that does what `fn` does and writes to the record.
---@param spy spies.Spy
---@param fn function
---@return function
---@nodiscard
function spies.around(spy, fn)
  return function(...)
    spy.calls[#spy.calls + 1] = { ... }
    return fn(...)
  end
end

--- A record, and the function that writes to it and answers like `answer`.
---@param answer function
---@return spies.Spy
---@return function
---@nodiscard
function spies.new(answer)
  local spy = { calls = {} }
  return spy, spies.around(spy, answer)
end

return spies
