--- Ids of entries as scripts write them: within its own namespace an entry's bare name will do.
---
---     bare_names.takes(queue, { publish = bare_names.first })  -- its first argument is a name
---     bare_names.bind(copy, queue, "app")
---     copy.publish("orders", 1)                       -- publishes into app:orders
---
--- Each file gets modules of its own from `require`, so what a name means hangs on the file that
--- calls, and not on who has called that file. In a file without a namespace a name stays as it is.
local find, next, type = string.find, next, type

local bare_names = {}

---@alias bare_names.Full fun(written: any): any  the full id; what is no text stays what it is
---@alias bare_names.Maker fun(fn: function, full: bare_names.Full): function

---@type table<table, table<string, bare_names.Maker>>
local takers = {}

--- For a function whose first argument names an entry. Its calls are tail calls, so that
--- complaints still point at the script's line.
---@type bare_names.Maker
function bare_names.first(fn, full)
  -- Most files speak of one queue again and again, and a publish counts its nanoseconds.
  local last, meant
  return function(id, ...)
    if id ~= last then
      last, meant = id, full(id)
    end
    return fn(meant, ...)
  end
end

--- For a function whose second argument does.
---@type bare_names.Maker
function bare_names.second(fn, full)
  return function(one, id, ...)
    return fn(one, full(id), ...)
  end
end

--- Says which functions of a module are given names of entries, and where.
---@param module table
---@param makers table<string, bare_names.Maker>
function bare_names.takes(module, makers)
  takers[module] = makers
end

local function completer(namespace)
  local prefix = namespace .. ":"
  return function(written)
    if type(written) ~= "string" or find(written, ":", 1, true) then
      return written
    end
    return prefix .. written
  end
end

--- Lets the functions in *functions*, which are those of *module*, speak from a namespace.
---@param functions table
---@param module table
---@param namespace? string  "" and nil for a file that has none
function bare_names.bind(functions, module, namespace)
  local makers = namespace ~= "" and namespace and takers[module]
  if not makers then
    return
  end
  local full = completer(namespace)
  for name, make in next, makers do
    functions[name] = make(functions[name], full)
  end
end

return bare_names
