--- What assertions about errors find; they belong to `assertions`, which knows nothing of calls.
---
---     raising.kind(errors.new("lost"), "TIMEOUT")
---     --> { code = "T704", text = "expected an error of kind TIMEOUT, got UNKNOWN: lost" }
local pcall, tostring, type = pcall, tostring, type
local format = string.format
local pack, unpack = table.pack, table.unpack
local blame = require("host.walls.blame")
local errors = require("errors")
local failure = require("host.test.failure")
local metatables = require("host.walls.metatables")
local pretty = require("host.print.pretty")
local protect = require("host.walls.protect")
local strings = require("host.stock.strings")

-- The bounded one: texts and patterns come from scripts.
local find = strings.new().find

local raising = {}

local function mismatch(text, ...)
  return { code = "T704", text = format(text, ...) }
end

--- An error value in words; what has none is shown as a literal.
---@param err any
---@return string
function raising.words(err)
  if type(err) == "string" then
    return err
  elseif type(err) ~= "table" or metatables.of(err) == nil then
    return pretty.brief(err)
  end
  local told, text = pcall(tostring, err)
  return told and text or pretty.brief(err)
end

--- An error value as a failure shows it: its kind and its words.
---@param err any
---@return string
function raising.shown(err)
  local known = errors.from(err)
  if type(err) == "table" and known and known:kind() ~= errors.UNKNOWN then
    return known:kind() .. ": " .. raising.words(err)
  end
  return raising.words(err)
end

--- Calls and tells whether it raised: false and the error, or true and its results packed.
---@return boolean returned
---@return any
function raising.attempt(fn, ...)
  local results = pack(protect.pcall(fn, ...))
  if results[1] then
    return true, pack(unpack(results, 2, results.n))
  end
  return false, results[2]
end

--- Why a call was not content, or nil: it raised, or what it returned is false or nil.
local function complaint(returned, value)
  if not returned then
    return failure.is(value) and value.message or raising.shown(value)
  elseif value.n > 0 and not value[1] then
    return "it returned " .. tostring(value[1])
  end
end

--- Calls until it is content, with `every` seconds passing in between.
---@param fn function
---@param within number
---@param every number
---@param advance fun(seconds: number)
---@return table? results
---@return failure.Mismatch? mismatch
function raising.until_content(fn, within, every, advance)
  local waited = 0
  while true do
    local returned, value = raising.attempt(fn)
    local why = complaint(returned, value)
    if not why then
      return value, nil
    elseif waited >= within then
      local text = format("not so within %g s of virtual time: %s", within, why)
      return nil, { code = "T708", text = text }
    end
    advance(every)
    waited = waited + every
  end
end

--- Nothing was raised.
function raising.missing(results)
  if results.n == 0 then
    return mismatch("expected an error, but none was raised")
  end
  return mismatch("expected an error, but it returned %s", pretty.brief(results[1]))
end

local function unlike(err, relation, text)
  return mismatch(
    "expected an error that %s %s, got %s",
    relation,
    pretty.quote(text),
    raising.shown(err)
  )
end

function raising.contains(err, text)
  if not find(raising.words(err), text, 1, true) then
    return unlike(err, "contains", text)
  end
end

function raising.matches(err, pattern)
  if not find(raising.words(err), pattern) then
    return unlike(err, "matches", pattern)
  end
end

function raising.unexpected(err)
  return mismatch("expected no error, got %s", raising.shown(err))
end

--- The pair `nil, err` with which a function says that it failed.
function raising.pair(value, err)
  if err == nil then
    return mismatch("expected nil and an error, got %s and no error", pretty.brief(value))
  elseif value ~= nil then
    return mismatch("expected nil beside the error, got %s", pretty.brief(value))
  end
end

function raising.kind(err, kind)
  if err == nil then
    return mismatch("expected an error of kind %s, got no error", kind)
  elseif not errors.is(err, kind) then
    local known = errors.from(err)
    return mismatch("expected an error of kind %s, got %s: %s", kind, known:kind(), known:message())
  end
end

function raising.retryable(err)
  if err == nil then
    return mismatch("expected a retryable error, got no error")
  end
  local said = errors.from(err):retryable()
  if said ~= true then
    local why = said == nil and "it does not say" or "it says false"
    return mismatch("expected a retryable error, but %s: %s", why, raising.shown(err))
  end
end

blame.hide()

return raising
