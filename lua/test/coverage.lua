--- Notes which lines of scripts run, in a state where it was started.
---
---     coverage.start()
---     coverage.hits()  --> {"src/orders.lua":[1,4,5]}
local json = require("json")
local limits = require("host.walls.limits")
local weak = require("host.walls.weak")

local byte, getinfo, next, sub = string.byte, debug.getinfo, next, string.sub
local sort = table.sort

local coverage = {}

local AT = byte("@")

---@type table<string, table<integer, true>>
local seen = {}
-- The lines of each function's file, or false for one that has none: asking Lua costs much more.
local lines_of = weak("k")

local function lines_for(fn)
  local source = getinfo(fn, "S").source
  if byte(source) ~= AT then
    return false
  end
  local name = sub(source, 2)
  seen[name] = seen[name] or {}
  return seen[name]
end

--- Notes a line of the function at *level*, counted by the caller.
---@param line integer
---@param level integer
local function note(line, level)
  local fn = getinfo(level + 1, "f").func
  local lines = lines_of[fn]
  if lines == nil then
    lines = lines_for(fn)
    lines_of[fn] = lines
  end
  if lines then
    lines[line] = true
  end
end

--- Begins to note lines.
function coverage.start()
  limits.watch_lines(note)
end

--- What ran so far: lines by file, as JSON.
---@return string
function coverage.hits()
  local files = {}
  for name, lines in next, seen do
    local list = json.array()
    for line in next, lines do
      list[#list + 1] = line
    end
    sort(list)
    files[name] = list
  end
  return (json.encode(files))
end

return coverage
