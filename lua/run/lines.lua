--- Notes which lines of scripts run in one call, in order: how long each took, and what it set.
---
---     lines.start(clock)
---     lines.found()  --> {"left_out":0,"steps":[{"chunk":"src/work.lua","line":3,"took":0.1,…},…]}
---
--- A step lasts until the next line of any script begins, so what a line calls in the host is its
--- own. Values are told where they have changed, as literals; none of the script's code runs.
local api = require("host.api")
local freeze = require("host.walls.freeze")
local json = require("json")
local limits = require("host.walls.limits")
local pretty = require("host.print.pretty")
local readable = require("host.print.readable")
local trace = require("host.walls.trace")

local getinfo, getlocal = debug.getinfo, debug.getlocal
local find, gsub, type = string.find, string.gsub, type

local lines = {}

--- Steps that are kept, and variables of one function that are looked at.
local MOST, VARIABLES = 500, 40
--- Characters of one value.
local ROOM = 60

---@class lines.Activation
---@field fn function
---@field texts table<string, string>  what its variables were when its last line began
---@field step? table                  the step of its last line

---@type fun(): number
local clock
local steps, left_out = json.array(), 0
---@type lines.Activation[]
local active, deepest = {}, 0
local last, began

--- How many functions lie above the one at `level`.
local function depth_of(level)
  local depth = 0
  while getinfo(level + depth + 1, "f") do
    depth = depth + 1
  end
  return depth
end

--- Writes down what the variables of the function at `level` are now, where that has changed.
local function compare(activation, step, level)
  for index = 1, VARIABLES do
    local name, value = getlocal(level + 1, index)
    if not name then
      return
    end
    if not find(name, "^%(") and type(value) ~= "function" and not freeze.is_frozen(value) then
      local text = pretty.brief(value, ROOM)
      if activation.texts[name] ~= text then
        activation.texts[name] = text
        step.values[#step.values + 1] = { name = name, value = readable(text) }
      end
    end
  end
end

--- The run of the function `fn` at `depth`: what lay below it has returned.
local function activation_of(fn, depth)
  for gone = depth + 1, deepest do
    active[gone] = nil
  end
  deepest = depth
  local found = active[depth]
  if not found or found.fn ~= fn then
    found = { fn = fn, texts = {} }
    active[depth] = found
  end
  return found
end

local function note(line, level)
  local now = clock()
  local info = getinfo(level + 1, "Sf")
  if not trace.is_script(info) then
    return
  end
  if last then
    last.took = now - began
  end
  local activation = activation_of(info.func, depth_of(level + 1))
  local step = { chunk = readable(gsub(info.source, "^[@=]", "")), line = line }
  step.took, step.values = 0, json.array()
  compare(activation, activation.step or step, level + 1)
  activation.step = step
  if #steps < MOST then
    steps[#steps + 1] = step
  else
    left_out = left_out + 1
  end
  last, began = step, clock()
end

local function ended(...)
  if last then
    last.took, last = clock() - began, nil
  end
  return ...
end

--- A function that does as `fn`, and with which the last line ends.
local function around(fn)
  return function(...)
    return ended(fn(...))
  end
end

--- Begins to note lines of the function that is open.
---@param now fun(): number  seconds
function lines.start(now)
  api.decorate(around)
  clock = now
  limits.watch_lines(note)
end

--- The steps as JSON, and how many were left out.
---@return string
function lines.found()
  ended() -- which it has not, where an error came out of it
  return (json.encode({ steps = steps, left_out = left_out }))
end

return lines
