--- The values that a test had in hand when it failed.
---
---     locals.capture() --> { total = "25.0", order = "{ id = 1 }" }
---
--- Functions and modules are left out: their names say all there is to say.
local getinfo, getlocal, getupvalue = debug.getinfo, debug.getlocal, debug.getupvalue
local find, type = string.find, type
local freeze = require("host.walls.freeze")
local pretty = require("host.print.pretty")
local trace = require("host.walls.trace")

local locals = {}

local MOST = 40 -- variables
local LONGEST = 200 -- bytes of one value

local function is_telling(name, value)
  return not find(name, "^%(")
    and name ~= "_ENV"
    and type(value) ~= "function"
    and not freeze.is_frozen(value)
end

--- The level of the innermost frame of a script, for a function called by the one that asks.
local function script_level()
  for level = 3, 10000 do
    local info = getinfo(level, "S")
    if not info then
      return nil
    elseif trace.is_script(info) then
      return level - 1
    end
  end
end

--- Visits what `getlocal` or `getupvalue` have to say of one frame or function.
local function each(get, where, visit)
  for index = 1, 250 do
    local name, value = get(where, index)
    if not name then
      return
    end
    visit(name, value)
  end
end

--- Variables of the innermost script frame by name: its own and those from around it.
---@return table<string, string>
---@nodiscard
function locals.capture()
  local values, count = {}, 0
  local function keep(name, value)
    if is_telling(name, value) and count < MOST then
      count = count + 1
      values[name] = pretty.brief(value, LONGEST)
    end
  end
  local level = script_level()
  if level then
    each(getupvalue, getinfo(level, "f").func, keep)
    each(getlocal, level + 1, keep) -- its own hide those from around it, the later the earlier
  end
  return values
end

return locals
