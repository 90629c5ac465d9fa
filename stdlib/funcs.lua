--- Calls other functions of the project, each in its own state.
---
---     local funcs = require("funcs")
---     local total, err = funcs.call("app:total_of", { 10, 20 })
---
--- In the function's own namespace its bare name will do. Arguments and results are copied as JSON;
--- a nil among them stays nil. The call runs on the time limit of its caller, and in what memory
--- its caller leaves of its own: a chain of calls shares what the first of them may have.
local check = require("check")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")
local limits = require("host.walls.limits")
local bare_names = require("host.walls.bare_names")

local rawequal, select = rawequal, select
local concat, unpack = table.concat, table.unpack
local call, null = lent.call, json.null
local collect_for_call = limits.collect_for_call

local funcs = {}

--- The arguments as a JSON array, or nil and an error.
local function encode_all(...)
  local texts = {}
  for index = 1, select("#", ...) do
    local value = select(index, ...)
    local text, err = json.encode(value == nil and null or value, { name = "argument " .. index })
    if not text then
      return nil, errors.wrap(err, "funcs.call")
    end
    texts[index] = text
  end
  return "[" .. concat(texts, ",") .. "]", nil
end

--- Calls a function and answers what it returns.
---@param id string                 the id of a `function.lua` entry
---@param ... any                   what JSON can carry
---@return any ...                  its results; or nil and its error, where it failed
function funcs.call(id, ...)
  check.argument("funcs.call", "id", id, "string")
  local arguments, fault = encode_all(...)
  if not arguments then
    return nil, fault
  end
  collect_for_call()
  local text, err = call(id, arguments)
  if not text then
    return nil, err
  end
  local results = json.decode(text)
  local n = #results
  for index = 1, n do
    if rawequal(results[index], null) then
      results[index] = nil
    end
  end
  return unpack(results, 1, n)
end

bare_names.takes(funcs, { call = bare_names.first })

return funcs
