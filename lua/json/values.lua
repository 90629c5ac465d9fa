--- What JSON has and Lua has not: a null that is a value, and lists that are empty.
local lock = require("host.walls.lock")
local weak = require("host.walls.weak")

local error, setmetatable = error, setmetatable

local json_values = {}

local Null = {
  __name = "json.null",
  __tostring = function()
    return "null"
  end,
  __newindex = function()
    error("json.null cannot be changed", 2)
  end,
}

--- JSON's null, which is no field's absence.
---@class json.Null
json_values.null = setmetatable({}, lock.metatable(Null, "json.null"))

--- How a table is written while it is empty, if not as `{}`: every decoded list is here. Weak,
--- because it must not keep a table alive; both ways, because the collector then need not walk it
--- (its values are texts, which it never takes away). A mark in a metatable instead would be seen
--- by table.sort and all else that looks for one.
---@type table<table, string>
json_values.EMPTY = weak("kv", { [json_values.null] = "null" })

return json_values
