--- Complaints of wrapped functions that point at the script's line, in stock Lua's words.
---
---     string.rep("x", {})  --> orders.lua:3: bad argument #2 to 'rep' (number expected, got table)
---
--- A C function called from a wrapper would blame the wrapper's own line, and count its arguments
--- as the wrapper did: one too many where the script wrote `s:rep({})`.
local error, getinfo, match, pcall, tonumber, type =
  error, debug.getinfo, string.match, pcall, tonumber, type

local blame = {}

--- Sources whose frames are never the script's.
local hidden = {}

--- The level, for a function called by the one that asks, of the first frame of the script.
local function script_level()
  local level = 3
  local info = getinfo(level, "S")
  while info and hidden[info.source] do
    level = level + 1
    info = getinfo(level, "S")
  end
  return level - 1
end

--- "bad argument" as the script counts its arguments and calls the function.
local function reworded(message, caller, name)
  local index, reason = match(message, "^bad argument #(%d+) to '[^']*' (%(.*%))$")
  if not index then
    return message
  end
  if caller.namewhat == "method" then
    index = tonumber(index) - 1
    if index == 0 then
      return "calling '" .. caller.name .. "' on bad self " .. reason
    end
  end
  return "bad argument #" .. index .. " to '" .. (caller.name or name) .. "' " .. reason
end

--- Makes the frames of the calling file invisible to `blame.raise`.
function blame.hide()
  hidden[getinfo(2, "S").source] = true
end

--- Raises `message` at the line of the script that called into a hidden file.
---@param message string  a "bad argument …" is put into the script's terms
---@param name? string    the function's name where the call does not tell it
function blame.raise(message, name)
  local level = script_level()
  error(reworded(message, getinfo(level - 1, "n"), name or "?"), level)
end

local function settle(name, ok, ...)
  if ok then
    return ...
  end
  local problem = ...
  if type(problem) == "string" then
    blame.raise(problem, name)
  end
  error(problem, 0)
end

--- Calls a C function and raises its complaint, if any, at the script's line.
---
--- Not for functions that call back into the script: its traceback would end here.
---@param name string
---@param raw function
---@param ... any
---@return any ...
function blame.call(name, raw, ...)
  return settle(name, pcall(raw, ...))
end

blame.hide()

return blame
