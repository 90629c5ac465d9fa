--- Trusted modules that most states never need: loaded when they are first used, so that a thousand
--- workers stay small.
---
---     local walk = require("host.walls.lazy")("host.stock.string_walk")
---     walk.find(s, p)   -- loads it
local next, require = next, require
local getmetatable, setmetatable = getmetatable, setmetatable

--- Stands for the module *name*. Functions must be taken from it when they are called, not before.
---@param name string
---@return table
return function(name)
  return setmetatable({}, {
    __index = function(stand_in, key)
      local module = require(name)
      setmetatable(stand_in, getmetatable(module)) -- that of `lent` makes its functions
      for field, value in next, module do
        stand_in[field] = value
      end
      return module[key]
    end,
  })
end
