--- The values that a test had in hand when it failed.
---
---     locals.described(locals.capture()) --> { total = "25.0", order = "{ id = 1 }" }
---
--- Functions and modules are left out: their names say all there is to say.
local getinfo, getlocal, getupvalue = debug.getinfo, debug.getlocal, debug.getupvalue
local find, ipairs, type = string.find, ipairs, type
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

---@class locals.Captured
---@field names string[]
---@field values any[]

--- Variables of the innermost script frame: its own and those from around it.
---
--- For a message handler, which must not run a script's code; so they are described later.
---@return locals.Captured
---@nodiscard
function locals.capture()
  local names, values, count = {}, {}, 0
  local function keep(name, value)
    if is_telling(name, value) and count < MOST then
      count = count + 1
      names[count], values[count] = name, value
    end
  end
  local level = script_level()
  if level then
    each(getupvalue, getinfo(level, "f").func, keep)
    each(getlocal, level + 1, keep) -- its own hide those from around it, the later the earlier
  end
  return { names = names, values = values }
end

--- Captured variables as literals by name.
---@param captured locals.Captured
---@return table<string, string>
---@nodiscard
function locals.described(captured)
  local texts = {}
  for index, name in ipairs(captured.names) do
    texts[name] = pretty.brief(captured.values[index], LONGEST)
  end
  return texts
end

return locals
