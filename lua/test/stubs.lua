--- Replaces functions of modules in one state, wherever its scripts hold them.
---
---     stubs.put("bank", "charge", function(original) return function() return true end end)
---     bank.charge(7)  --> true
---     stubs.clear()
---
--- Scripts that put a function into a local of their own while their file ran keep that one, so a
--- state under test gets its stubs before its files run.
local fields = require("host.walls.fields")
local modules = require("host.walls.modules")

local next, rawequal, rawget, rawset = next, rawequal, rawget, rawset
local select, type = select, type

local stubs = {}

---@class stubs.Given
---@field functions table  the table its functions are in
---@field seen any         what the script holds

---@alias stubs.Maker fun(original: function): function

---@type table<string, stubs.Given[]>
local given = {}
---@type table<string, table<string, stubs.Maker>>
local makers = {}
---@type (fun())[]
local undo = {}

--- A module's function is the same whether it is called with a dot or with a colon.
local function without_self(seen, fn)
  return function(...)
    if rawequal((...), seen) then
      return fn(select(2, ...))
    end
    return fn(...)
  end
end

-- A library's table may be an object of a script, whose code must not run for this.
local function replace(one, name, make)
  local functions, original = one.functions, fields.get(one.functions, name)
  if type(original) ~= "function" then
    return
  end
  local own = rawget(functions, name)
  undo[#undo + 1] = function()
    rawset(functions, name, own)
  end
  rawset(functions, name, without_self(one.seen, make(original)))
end

--- Replaces a function in every module of this key, those still to be handed out included.
---@param key string        the module's name, or the library's id
---@param name string
---@param make stubs.Maker  makes the replacement
function stubs.put(key, name, make)
  makers[key] = makers[key] or {}
  makers[key][name] = make
  for _, one in next, given[key] or {} do
    replace(one, name, make)
  end
end

--- Puts everything back, the last replacement first.
function stubs.clear()
  for index = #undo, 1, -1 do
    undo[index]()
  end
  undo, makers = {}, {}
end

function modules.on_given(key, functions, seen)
  local one = { functions = functions, seen = seen }
  given[key] = given[key] or {}
  given[key][#given[key] + 1] = one
  for name, make in next, makers[key] or {} do
    replace(one, name, make)
  end
end

return stubs
