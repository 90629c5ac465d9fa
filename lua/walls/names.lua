--- The names under which the collector looks for finalizers and weak tables.
---
---     setmetatable({}, { [names.mode] = "k" })  -- weak, while a script's `__mode` has no effect
---
--- The host can point the collector at names of its own (`sandbox/hidden_names.py`). What is to
--- stay weak or finalized gets them before: Lua's own metatables, and lupa's, without which a
--- Python object would never be given back.
local collectgarbage, next, rawget, rawset = collectgarbage, next, rawget, rawset
local running, setmetatable, type = coroutine.running, setmetatable, type
local format, rep = string.format, string.rep
local metatable_of, sethook = debug.getmetatable, debug.sethook

local names = { gc = "__gc", mode = "__mode", are_hidden = false }

-- What is to be found, in its order, and what two of it are to become.
local function addresses(gc, mode, new_gc, new_mode)
  local here = running()
  local found = format("%p %p %p %p", here, "__index", "__newindex", gc)
  return found .. format(" %p %p %p %p %p", mode, "__len", "__eq", new_gc, new_mode)
end

-- Lua makes two of its metatables when it first needs them: that of the memory behind a long
-- string in the making, and that of the hooks of coroutines.
local function make_late_ones()
  rep("x", 5000)
  sethook(function() end, "", 1)
  sethook()
end

local function add_names(meta, gc, mode)
  if type(meta) == "table" then
    rawset(meta, gc, rawget(meta, "__gc"))
    rawset(meta, mode, rawget(meta, "__mode"))
  end
end

local function add_to_registered(registry, gc, mode)
  local found = {}
  for _, value in next, registry do
    found[#found + 1] = value
  end
  for index = 1, #found do
    add_names(found[index], gc, mode)
    add_names(metatable_of(found[index]), gc, mode)
  end
end

-- What is weak under the old name stays, what has a finalizer there is not finalized, and both work
-- under the new ones, lupa's objects among them.
local function is_effective(mode, lend, is_back)
  local ran = false
  local strong, weak = setmetatable({}, { __mode = "kv" }), setmetatable({}, { [mode] = "k" })
  strong[1], weak[{}] = {}, true
  setmetatable({}, {
    __gc = function()
      ran = true
    end,
  })
  lend()
  collectgarbage()
  return strong[1] ~= nil and next(weak) == nil and not ran and is_back()
end

--- Makes `__gc` and `__mode` names without effect. Called before anything of a script can be there.
---@param hide fun(addresses: string): boolean
---@param gc string     what is to stand for `__gc`, at most 40 bytes that nobody can guess
---@param mode string   for `__mode`
---@param lend fun(): any          lends an object of Python's that nothing else holds
---@param is_back fun(): boolean   whether that object was given back
function names.hide(hide, gc, mode, lend, is_back)
  local registry = debug.getregistry()
  make_late_ones()
  rawset(registry, gc, mode) -- anchors both
  add_to_registered(registry, gc, mode)
  if not hide(addresses("__gc", "__mode", gc, mode)) then
    return
  elseif is_effective(mode, lend, is_back) then
    names.gc, names.mode, names.are_hidden = gc, mode, true
  else
    hide(addresses(gc, mode, "__gc", "__mode"))
  end
end

return names
