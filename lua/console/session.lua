--- A session: statements typed one after another, in globals of their own that stay.
---
---     console.evaluate("x = 20", 80)      --> {"status":"done","texts":[],…}
---     console.evaluate("x + 1", 80)       --> {"status":"done","texts":["21"],"values":[21],…}
---     console.evaluate("for i = 1,", 80)  --> {"status":"incomplete",…}
---
--- Nothing is sealed here: a session may define what it likes, for it is its own only script. The
--- modules are there without `require`, and loaded when they are first named.
local completion = require("host.console.completion")
local errors = require("errors")
local fault = require("host.run.fault")
local field_of = require("host.walls.fields").get
local freeze = require("host.walls.freeze")
local handed = require("host.json.handed")
local json = require("json")
local limits = require("host.walls.limits")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local misses = require("host.walls.misses")
local modules = require("host.walls.modules")
local operations = require("host.console.mq")
local pretty = require("host.print.pretty")
local readable = require("host.print.readable")
local session_locals = require("host.console.locals")
local trace = require("host.walls.trace")
local world = require("host.walls.world")

local error, ipairs, load, rawequal = error, ipairs, load, rawequal
local select, setmetatable, tonumber = select, setmetatable, tonumber
local tostring, type, xpcall = tostring, type, xpcall
local find, format, gsub, match, sub =
  string.find, string.format, string.gsub, string.match, string.sub
local concat, pack, unpack = table.concat, table.pack, table.unpack

local console = {}

--- The chunk's name in places and traces.
local CHUNK = "=console"
--- How many results `out` remembers.
local REMEMBERED = 100
--- The largest value that is also answered as JSON.
local LARGEST = 512 * 1024

---@type table<string, boolean>
local known_modules = {}
---@type table<string, string>
local imports = {}
local given = {}

---@type table
local globals
---@type table
local env
local out, number = {}, 0

local function require_here(name)
  if type(name) ~= "string" then
    error("bad argument #1 to 'require' (string expected, got " .. type(name) .. ")", 2)
  elseif given[name] == nil then
    if imports[name] then
      given[name] = modules.value(imports[name])
    elseif name == "mq" then
      given[name] = operations.module
    elseif known_modules[name] then
      given[name] = freeze.copy(modules.get(name), name)
    elseif modules.BUILT_IN[name] then
      given[name] = globals[name]
    else
      error("no module '" .. name .. "'; completion lists them", 2)
    end
  end
  return given[name]
end

local function print_here(...)
  local words = {}
  for index = 1, select("#", ...) do
    words[index] = tostring((select(index, ...)))
  end
  lent.console_print(concat(words, "\t"))
end

--- A module by its bare name: only a session is spoilt like that.
local function lazily(_, name)
  if name == "mq" or known_modules[name] then
    local module = require_here(name)
    globals[name] = module
    return module
  elseif name == "replay" then
    return require_here("mq").replay
  end
end

--- Makes the session ready.
---@param names string    a JSON array: the modules that may be required
---@param aliases string  a JSON object: alias -> id of a library
---@param verbs string    a JSON array: the functions of `mq`; see `operations/mq.py` of the host
function console.open(names, aliases, verbs)
  operations.define((json.decode(verbs)))
  for _, name in ipairs((json.decode(names))) do
    known_modules[name] = true
  end
  imports = json.decode(aliases)
  env = world.new({ id = "console", require = require_here })
  globals = freeze.backing(env)
  globals.print, globals.out = print_here, out
  setmetatable(globals, lock.metatable({ __index = lazily }))
  completion.open(globals, known_modules, imports, require_here)
end

-- Reading ----------------------------------------------------------------------------------------

--- `=expr` is how Lua 5.1 asked for a value.
local function without_old_mark(source)
  return (gsub(source, "^%s*=", "", 1))
end

--- Whether more lines could make it whole: both complaints are about the end of the text.
local function is_incomplete(complaint)
  return find(complaint, "near <eof>$") ~= nil and not find(complaint, "unfinished string", 1, true)
end

--- The chunk of a text, as an expression if it can be one.
---@return function? chunk
---@return boolean is_expression
---@return string? complaint    about the text as statements
---@return boolean? incomplete
local function compile(source)
  local text = without_old_mark(source)
  local chunk, complaint = load("return " .. gsub(text, ";%s*$", ""), CHUNK, "t", env)
  if chunk then
    return chunk, true
  end
  local statements, problem = load(text, CHUNK, "t", env)
  if statements then
    -- Once more with its locals kept: that text is never shown, so it may differ.
    return load(session_locals.kept(text), CHUNK, "t", env) or statements, false
  end
  return nil, false, problem, is_incomplete(complaint) or is_incomplete(problem)
end

-- Answering --------------------------------------------------------------------------------------

local function quoted(text)
  return (json.encode(readable(text)))
end

local function fault_object(value, stack)
  local kind, text, retryable, own_stack = fault.of(value)
  local code = fault.is_error(value) and field_of(value:details(), "code")
  return {
    kind = kind,
    message = readable(text),
    retryable = retryable,
    code = type(code) == "string" and readable(code) or nil,
    stack = readable(stack ~= "" and stack or own_stack or ""),
  }
end

--- A result as JSON; or nil and why it cannot be handed over, which begins with its place.
local function as_json(value, name)
  local text, err = handed.text(value, name)
  if text and #text > LARGEST then
    return nil, format("%s has %d bytes as JSON; at most %d are answered", name, #text, LARGEST)
  end
  return text, err and err:message()
end

local function remember(results)
  number = number + 1
  globals.__, globals._ = globals._, results[1]
  out[number] = results[1]
  out[number - REMEMBERED] = nil
end

local function encode(fields, texts, values)
  local head = json.encode(fields)
  local lists = '"texts":[' .. concat(texts, ",") .. '],"values":[' .. concat(values, ",") .. "]"
  return sub(head, 1, -2) .. "," .. lists .. "}"
end

--- The results as JSON, with null for those that are no JSON, and what is to be said about those.
local function values_of(results)
  local values, unfit = {}, {}
  for place = 1, results.n do
    local text, complaint = as_json(results[place], handed.name("value", place, results.n))
    values[place] = text or "null"
    if complaint then
      unfit[#unfit + 1] = { place = place, message = readable(complaint) }
    end
  end
  return values, unfit
end

--- What a statement answered; `nil, err` is told like an error that was raised.
local function answer_of(results, wanted)
  local fields =
    { status = "done", expression = wanted.expression, muted = wanted.muted, n = results.n }
  local texts, values, unfit = {}, values_of(results)
  if results.n >= 2 and results[1] == nil and results[2] ~= nil then
    fields.fault = fault_object(results[2], "")
    globals._err = results[2]
  elseif #unfit > 0 and not wanted.marked then
    fields.fault = { kind = errors.INVALID, message = unfit[1].message, stack = "" }
  end
  fields.unfit = #unfit > 0 and unfit or nil
  for index = 1, results.n do
    local text = wanted.muted and "" or pretty.value(results[index], wanted)
    texts[index] = quoted(text)
  end
  if results.n > 0 then
    remember(results)
    fields.number = number
  end
  return encode(fields, texts, values)
end

local function answer_of_raised(value)
  local stack = trace.of(value)
  if rawequal(value, limits.EXCEEDED) then
    value = errors.new({ kind = "INTERNAL", message = "not enough memory" })
  end
  globals._err = value
  local found = fault_object(value, stack)
  return encode({ status = "raised", n = 0, fault = found }, {}, {})
end

--- The results behind `true`, without the nils at their end: `id, nil` is shown as `id`.
local function results_of(_, ...)
  local results = pack(...)
  while results.n > 1 and results[results.n] == nil do
    results.n = results.n - 1
  end
  return results
end

--- Why a text does not compile.
local function refusal(complaint, incomplete, name)
  local line, text = match(complaint, "^" .. gsub(name, "%W", "%%%0") .. ":(%d+): (.*)$")
  return encode({
    status = incomplete and "incomplete" or "invalid",
    n = 0,
    complaint = readable(text or complaint),
    line = line and tonumber(line) or nil,
  }, {}, {})
end

local function run(chunk)
  misses.last = nil
  trace.clear()
  limits.rearm()
  return pack(xpcall(chunk, trace.handler))
end

--- Runs one text and answers what came of it, as JSON: `status` is done, raised, incomplete or
--- invalid; then `texts` (Lua literals), `values` (JSON, or null), `unfit` (of which values JSON
--- cannot carry something, and what), `fault`, `complaint`, `line`.
---@param source string
---@param width integer   columns of the terminal
---@param marked boolean  for people, who can read the texts: else what JSON cannot carry is a fault
---@param depth? integer tables inside tables that are shown of a value
---@return string
function console.evaluate(source, width, marked, depth)
  local chunk, is_expression, complaint, incomplete = compile(source)
  if not chunk then
    return refusal(complaint, incomplete, "console")
  end
  local result = run(chunk)
  if not result[1] then
    return answer_of_raised(result[2])
  end
  return answer_of(results_of(unpack(result, 1, result.n)), {
    expression = is_expression,
    muted = find(source, ";%s*$") ~= nil,
    marked = marked,
    width = width,
    depth = depth,
  })
end

--- Runs the whole text of a file, as `lua FILE` would: what it returns is not looked at.
---@param source string
---@param name string  of the file
---@return string
function console.execute(source, name)
  local chunk, complaint = load(source, "@" .. name, "t", env)
  if not chunk then
    return refusal(complaint, false, name)
  end
  local result = run(chunk)
  if not result[1] then
    return answer_of_raised(result[2])
  end
  return encode({ status = "done", expression = false, muted = true, n = 0 }, {}, {})
end

--- What could follow a path such as `queue.pu`, as JSON; never runs a script's code.
---@param path string
---@return string
function console.complete(path)
  return completion.of(path)
end

return console
