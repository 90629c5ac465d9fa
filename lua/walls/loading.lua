--- `load` for scripts: text only, in the script's globals, as much as the compiler is quick with.
---
---     load("return 1 + 1")()                    --> 2
---     load("return x", "=rule", "t", { x = 7 })() --> 7
---     load(next_piece)                          -- called until it answers nil or ""
---
--- Nothing interrupts the compiler: what takes it long is refused before (`excess` of the host).
local arguments = require("host.walls.arguments")
local blame = require("host.walls.blame")
local limits = require("host.walls.limits")
local protect = require("host.walls.protect")
local raw = require("host.raw")
local trace = require("host.walls.trace")

local concat, error, find, getinfo, gsub, load =
  table.concat, error, string.find, debug.getinfo, string.gsub, load
local select, sub, type = select, string.sub, type

local loading = {}

--- Nothing interrupts the compiler, and it needs 0.1 s for the worst text of this size.
local LONGEST = 48 * 1024
local TOO_LONG = "source is larger than 48 KiB"
--- Shorter texts cannot have too many jumps.
local HARMLESS = 8000

--- A chunk that a script loads cannot be named like trusted code, so it shows in every trace.
local function safe_name(name)
  if name == nil then
    return nil
  end
  local shown = gsub(sub(name, 1, 60), "^[=@]", "")
  local is_ours = shown == "?" or find(shown, "^%[moonq")
  return is_ours and "=(load)" or name
end

local function read(next_piece)
  local pieces, size = {}, 0
  while true do
    local piece = next_piece()
    if piece == nil or piece == "" then
      return concat(pieces)
    elseif type(piece) ~= "string" and type(piece) ~= "number" then
      local source, line = trace.place(1)
      error(source .. ":" .. line .. ": reader function must return a string", 0)
    end
    size = size + #(piece .. "")
    if size > LONGEST then
      error(TOO_LONG, 0)
    end
    pieces[#pieces + 1] = piece
  end
end

--- What the compiler must not see, as it would complain itself.
local function refusal(text, name)
  if #text <= HARMLESS then
    return nil
  end
  limits.check_memory()
  local _, line, what = raw.excess(text)
  return line and getinfo(load("", name or text), "S").short_src .. ":" .. line .. ": " .. what
end

local function compile(text, name, mode, env)
  if #text > LONGEST then
    return nil, TOO_LONG
  elseif not find(mode, "t", 1, true) then
    return nil, "attempt to load a text chunk (mode is '" .. mode .. "')"
  end
  name = safe_name(name)
  local problem = refusal(text, name)
  if problem then
    return nil, problem
  end
  trace.learn(text)
  return load(text, name or text, "t", env)
end

local function checked(env, chunk, name, mode, ...)
  local is_text = type(chunk) == "string" or type(chunk) == "number"
  if not is_text and type(chunk) ~= "function" then
    arguments.mistyped(1, "load", "function", chunk)
  end
  name = name ~= nil and arguments.text(2, "load", name) or nil
  mode = mode ~= nil and arguments.text(3, "load", mode) or "bt"
  if select("#", ...) > 0 then
    env = ...
  end
  if is_text then
    return compile(chunk .. "", name, mode, env)
  end
  local ok, text = protect.pcall(read, chunk)
  if not ok then
    return nil, text
  end
  return compile(text, name or "=(load)", mode, env)
end

--- `load` for a script with these globals.
---@param env table
---@param on_loaded fun(f: function)  told of each chunk
---@return fun(chunk: string|function, name?: string, mode?: string, env?: any): function?, any
---@nodiscard
function loading.new(env, on_loaded)
  local function told(chunk, ...)
    if chunk then
      on_loaded(chunk)
    end
    return chunk, ...
  end
  return function(...)
    return told(checked(env, ...))
  end
end

blame.hide()

return loading
