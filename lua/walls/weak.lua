--- Makes a table weak, for the trusted half: `__mode` alone may be without effect (see `names`).
---
---     local seen = require("host.walls.weak")("k")
local names = require("host.walls.names")

local setmetatable = setmetatable

---@generic T: table
---@param mode "k"|"v"|"kv"  what it does not keep alive: keys, values or both
---@param target? T          (default: a new table)
---@return T
---@nodiscard
return function(mode, target)
  return setmetatable(target or {}, { [names.mode] = mode })
end
