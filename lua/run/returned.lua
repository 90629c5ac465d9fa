--- Keeps what the handler returns for a message, for people who call it by hand and want to see it.
---
---     returned.keep()
---     api.deliver(body)
---     returned.values_as_json()           --> '["sent",2]'
local deliver = require("host.run.deliver")
local fault = require("host.run.fault")
local handed = require("host.json.handed")
local json = require("json")
local readable = require("host.print.readable")

local concat, pack = table.concat, table.pack

local returned = {}

local kept = pack()

--- Keeps the results of handlers from now on.
function returned.keep()
  deliver.watch(function(ok, ...)
    kept = pack(...)
    return ok, ...
  end)
end

--- The results of the last call as a JSON array; of what JSON cannot carry, the text.
---@return string
function returned.values_as_json()
  local texts = {}
  for index = 1, kept.n do
    local value = kept[index]
    texts[index] = handed.text(value, "result") or json.encode(readable(fault.text(value)))
  end
  kept = pack()
  return "[" .. concat(texts, ",") .. "]"
end

return returned
