--- Where a script was: its own frames only, never the host's.
local getinfo, ipairs, rawequal, type, tostring = debug.getinfo, ipairs, rawequal, type, tostring
local concat, find, gsub, match, sub =
  table.concat, string.find, string.gsub, string.match, string.sub
local error, max, min, running, tointeger =
  error, math.max, math.min, coroutine.running, math.tointeger

local trace = {}

--- Trusted chunks are named like this by the host; a script's chunk cannot be (see `world`).
local TRUSTED = "=[moonq"
--- What Lua says of a chunk without debug information, as trusted ones usually are.
local STRIPPED = "=?"
local MAX_FRAMES = 22
--- Bytes of a function's name that are shown; a script may use as many as it likes.
local MAX_NAME = 60
local BAD_LEVEL = "bad argument #%d to 'traceback' (number expected, got %s)"

--- Whether a frame is a script's own.
---@param info table  what `debug.getinfo` says of it under "S"
---@return boolean
function trace.is_script(info)
  local source = info.source
  return info.what ~= "C" and source ~= STRIPPED and source:sub(1, #TRUSTED) ~= TRUSTED
end

local is_script = trace.is_script

local function describe(info)
  local where = info.short_src .. ":" .. info.currentline .. ": in "
  if info.what == "main" then
    return where .. "main chunk"
  elseif info.name and info.namewhat ~= "" then
    return where .. info.namewhat .. " '" .. sub(info.name, 1, MAX_NAME) .. "'"
  end
  return where .. "function <" .. info.short_src .. ":" .. info.linedefined .. ">"
end

--- The script frames of a coroutine from *depth* on, innermost first, one per line.
---@param co thread
---@param depth integer   in the running one: 0 is the function that called this one
---@param skipped integer how many of them are left out
---@return string
local function frames(co, depth, skipped)
  local lines = {}
  if co == running() then
    depth = depth + 2
  end
  for level = depth, depth + 10000 do
    local info = getinfo(co, level, "Slnt")
    if not info then
      break
    end
    if is_script(info) then
      if #lines - skipped == MAX_FRAMES then
        lines[#lines + 1] = "..."
        break
      end
      lines[#lines + 1] = describe(info)
    end
  end
  return concat(lines, "\n", skipped + 1)
end

--- The script frames above *level*, innermost first, one per line.
---@param level integer 1 is the caller
---@return string
function trace.script(level)
  return (frames(running(), level, 0)) -- no tail call, which would leave this level out
end

--- The innermost script frame above *level*: its file and line, or nothing.
---@param level integer
---@return string? source
---@return integer? line
function trace.place(level)
  for depth = level + 1, level + 10000 do
    local info = getinfo(depth, "Sl")
    if not info then
      return nil
    end
    if is_script(info) then
      return info.short_src, info.currentline
    end
  end
end

--- Where a script's own file is now: the line of the innermost of *blocks*, whatever helpers of it
--- or of another file lie below it; in no block, the outermost line.
---@param blocks table<function, any>  functions of scripts
---@return string? source
---@return integer? line
function trace.place_in(blocks)
  local callers = {}
  for depth = 2, 10000 do
    local info = getinfo(depth, "Slf")
    if not info then
      break
    end
    callers[#callers + 1] = is_script(info) and info or nil
  end
  local file, found = callers[#callers] and callers[#callers].source, nil
  for _, info in ipairs(callers) do
    found = info.source == file and info or found
    if found and blocks[info.func] then
      break
    end
  end
  if found then
    return found.short_src, found.currentline
  end
end

---@class trace.Raised
---@field value any      what was raised
---@field stack? string  script frames, innermost first
---@field source? string
---@field line? integer

--- Makes a message handler for `xpcall` that notes in *record* where a value was raised.
---
--- The value stays as it is, for what a script has to close sees it next; and no script sees the
--- record. A handler runs none of the script's code: inside a hook it could not be stopped.
---@param record trace.Raised
---@return fun(value: any): any
---@nodiscard
function trace.noting(record)
  return function(value)
    local source, line = trace.place(2)
    local stack = trace.script(2)
    record.value, record.stack, record.source, record.line = value, stack, source, line
    return value
  end
end

---@type trace.Raised
local last = {}

--- The message handler of calls that Python makes, which never lie in each other.
trace.handler = trace.noting(last)

--- Where a value was raised that an `xpcall` answers.
---@param value any
---@param record? trace.Raised  of its message handler (default: that of `trace.handler`)
---@return string stack   "" where Lua itself gave up: then no message handler runs to its end
---@return string? source
---@return integer? line
function trace.of(value, record)
  record = record or last
  if record.stack and rawequal(record.value, value) then
    return record.stack, record.source, record.line
  end
  return ""
end

--- Whether a script may ask where an error came from.
trace.wanted = false

--- Learns from the text of a script whether it may ever call `debug.traceback`.
---@param source string
function trace.learn(source)
  trace.wanted = trace.wanted or find(source, "traceback", 1, true) ~= nil
end

--- Forgets the last error.
function trace.clear()
  trace.unwound = nil
  if last.stack then
    last.value, last.stack, last.source, last.line = nil, nil, nil, nil
  end
end

--- Where the last error was raised, for the host: it survives the end of the call that a
--- watchdog cut off.
---@return string
function trace.last()
  local stack = last.stack or ""
  trace.clear()
  return stack
end

--- The frames of a coroutine from *level* on, where C's own are as good as not there.
local function frames_of(co, level)
  if co == running() then
    return frames(co, 0, max(0, level - 1))
  end
  local innermost = getinfo(co, 0, "S")
  local is_c = innermost and innermost.what == "C"
  return frames(co, 0, max(0, is_c and level - 1 or level))
end

--- What is left of a stack that is unwound; the handler that asks is no part of it.
local function unwound_from(level)
  local stack = trace.unwound
  for _ = 3, level do
    stack = match(stack, "\n(.*)") or ""
  end
  return stack
end

local function traceback(co, message, level, index)
  if message ~= nil and type(message) ~= "string" and type(message) ~= "number" then
    return message
  end
  local number = level == nil and (co and 0 or 1) or tointeger(level)
  if not number then
    error(BAD_LEVEL:format(index, type(level)), 3)
  end
  number = min(number, 10000)
  local stack
  if not co and trace.unwound then
    stack = unwound_from(number)
  else
    stack = frames_of(co or running(), number)
  end
  local text = message and tostring(message) .. "\n" or ""
  return text .. "stack traceback:" .. (stack ~= "" and "\n\t" or "") .. gsub(stack, "\n", "\n\t")
end

--- `debug.traceback` for scripts: same arguments, script frames only.
---@param co? thread
---@param message? any
---@param level? integer  1 is the caller, and 0 the innermost of another coroutine
---@return any
function trace.traceback(co, message, level)
  if type(co) == "thread" then
    return (traceback(co, message, level, 3))
  end
  return (traceback(nil, co, message, 2))
end

return trace
