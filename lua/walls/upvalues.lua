--- `debug.getupvalue`, `setupvalue` and `upvaluejoin` for scripts: of functions that are their own.
---
---     local chunk = load("return x")
---     debug.upvaluejoin(chunk, 1, function() return env end, 1) -- as `setfenv` was in Lua 5.1
---
--- Libraries give other globals to a chunk in this way. Own are what the script has loaded and the
--- functions of its text: those of a library may hold modules that the script may not require.
local arguments = require("host.walls.arguments")
local blame = require("host.walls.blame")
local weak = require("host.walls.weak")

local getinfo, getupvalue, setupvalue, upvaluejoin =
  debug.getinfo, debug.getupvalue, debug.setupvalue, debug.upvaluejoin
local gsub, match, select, type = string.gsub, string.match, select, type

local upvalues = {}

local function check(name, index, f, number)
  if type(f) ~= "function" then
    arguments.mistyped(index, name, "function", f)
  end
  return arguments.integer(index + 1, name, number)
end

--- Keeps its caller on the stack, where `blame` reads how the script called it.
local function kept(...)
  return ...
end

--- The functions for the script with this text, and one that makes a function its own.
---
--- Texts that stand in one YAML file share the name of their chunks; the lines tell them apart, for
--- empty ones stand in front of a text instead of what is above it in its file.
---@param chunk? string   (default: only what the script has loaded is its own)
---@param source? string
---@return table<string, function>
---@return fun(f: function)
---@nodiscard
function upvalues.new(chunk, source)
  source = source or ""
  local loaded = weak("k")
  local first, last = #match(source, "^\n*") + 1, select(2, gsub(source, "\n", "")) + 1

  local function is_own(f)
    if loaded[f] then
      return true
    end
    local info = getinfo(f, "S")
    local line = info.linedefined
    return info.source == chunk and first <= line and line <= last
  end

  local function check_own(index, f, number)
    number = check("upvaluejoin", index, f, number)
    if not is_own(f) then
      arguments.refuse(index, "upvaluejoin", "a function of this file expected")
    elseif not getupvalue(f, number) then
      arguments.refuse(index + 1, "upvaluejoin", "invalid upvalue index")
    end
    return number
  end

  local library = {}

  function library.getupvalue(f, number)
    number = check("getupvalue", 1, f, number)
    if is_own(f) then
      return kept(getupvalue(f, number))
    end
  end

  function library.setupvalue(f, number, value)
    number = check("setupvalue", 1, f, number)
    return is_own(f) and setupvalue(f, number, value) or nil
  end

  function library.upvaluejoin(f, number, other, other_number)
    number, other_number = check_own(1, f, number), check_own(3, other, other_number)
    upvaluejoin(f, number, other, other_number)
  end

  return library, function(f)
    loaded[f] = true
  end
end

blame.hide()

return upvalues
