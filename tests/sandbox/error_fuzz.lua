--- Runs a random program about errors: the body is a list of numbers, read from the front.
---
--- It raises, closes, catches and handles values whose every metamethod loops, and touches what it
--- gets to see. A table that it has not made itself, and that is no error of the host's, is told as
--- a stranger.
local logger = require("logger")

local unpack, rep = table.unpack, string.rep

local function loop()
  while true do
  end
end

local EVENTS = {}
for name in
  ([[index newindex call tostring len eq lt le concat pairs close unm add sub mul div
  mod pow idiv band bor bxor shl shr bnot]]):gmatch("%a+")
do
  EVENTS["__" .. name] = loop
end

local function spite(more)
  local class = { __name = "spite" }
  for name, event in next, EVENTS do
    class[name] = event
  end
  for name, value in next, more or {} do
    class[name] = value
  end
  return setmetatable({}, class)
end

local numbers, at, known, values, depth
local run

local function draw(most)
  at = at + 1
  return (numbers[at] or 0) % most + 1
end

local function look_at(value)
  local kind = type(value)
  if kind == "table" and not known[value] and getmetatable(value) ~= "error" then
    at = math.maxinteger - 1000
    coroutine.wrap(error)("stranger", 0)
  elseif kind == "userdata" then
    coroutine.wrap(error)("stranger", 0)
  end
  values[#values + 1] = value
end

local function pick()
  return values[draw(#values)]
end

local TOUCHES = {
  function(value)
    return value.stack
  end,
  function(value)
    value.stack = "forged.lua:1"
  end,
  function(value)
    return value()
  end,
  function(value)
    return value .. value
  end,
  function(value)
    return #value < value
  end,
  function(value, other)
    return value == other
  end,
  function(value)
    return tostring(value)
  end,
  function(value)
    for key in next, value do
      value[key] = nil
    end
  end,
  function(value, other)
    setmetatable(value, getmetatable(other))
  end,
  function(value)
    setmetatable(value, EVENTS)
  end,
  function(value, other)
    rawset(value, "value", other)
    rawset(value, "_kind", "TIMEOUT")
  end,
}

local function touch(value, other)
  pcall(TOUCHES[draw(#TOUCHES)], value, other)
end

local function closing()
  local held = setmetatable({}, {
    __close = function(_, err)
      look_at(err)
      touch(err, pick())
      return run()
    end,
  })
  known[held] = true
  return held
end

local function handler(err, ...)
  look_at(err)
  touch(err, pick())
  return run(...)
end

local ACTIONS = {
  function()
    error(pick())
  end,
  function()
    error(pick(), draw(3))
  end,
  function()
    return pick(), pick()
  end,
  function()
    return nil, pick()
  end,
  function()
    local _ <close> = closing()
    return run()
  end,
  function()
    local _ <close> = closing()
    local _ <close> = closing()
    error(pick())
  end,
  function()
    return select(2, xpcall(run, handler))
  end,
  function()
    return xpcall(error, handler, pick())
  end,
  function()
    return xpcall(run, debug.traceback)
  end,
  function()
    return pcall(run)
  end,
  function()
    return coroutine.wrap(run)()
  end,
  function()
    local co = coroutine.create(run)
    coroutine.resume(co)
    return coroutine.close(co)
  end,
  function()
    assert(false, pick())
  end,
  function()
    look_at(errors.from(pick()))
    look_at(errors.wrap(pick(), "while it ran"))
    return run()
  end,
  function()
    logger.warn(pick(), { field = pick() })
    return run()
  end,
  function()
    print(pick())
    return run()
  end,
  function()
    for _ in next, {}, nil, closing() do -- nothing to step over, but something to close
      look_at(pick())
    end
    return run()
  end,
  function()
    return debug.traceback(pick(), pick())
  end,
  function()
    touch(pick(), pick())
    return run()
  end,
  function()
    touch(pick(), pick())
    return unpack({ run() }, 1, 2)
  end,
  loop,
  function()
    return rep("x", 100, run())
  end,
}

function run()
  depth = depth + 1
  if depth > 40 or at > #numbers then
    error(pick())
  end
  return ACTIONS[draw(#ACTIONS)]()
end

return function(body)
  numbers, at, depth, known = body, 0, 0, {}
  local locked = spite({ __metatable = "error" })
  values = {
    "text",
    7,
    0 / 0,
    print,
    coroutine.create(print),
    errors.new({ message = "made", kind = "INVALID" }),
    { value = 1, stack = "forged.lua:1", source = "forged.lua", line = 1 },
    { message = "m", kind = "TIMEOUT", retryable = false },
    spite(),
    spite({ __index = rawget, __newindex = rawset }),
    locked,
    spite({ __metatable = locked }),
    spite({ __tostring = print, __eq = rawequal }),
    nil,
  }
  for index = 1, 14 do
    if type(values[index]) == "table" then
      known[values[index]] = true
    end
  end
  known[EVENTS] = true
  return run()
end
