--- One request and what comes back, between `http` (stdlib/http.lua) and the host.
---
---     exchange.ask("", "GET", "https://bank.example/", { timeout = 5 }).status --> 200
---     exchange.encoded({ a = "x y", b = { 1, 2 } }) --> "a=x%20y&b=1&b=2"
---
--- Tests put a function of their own in place of `stand_in.answer`; the rest stays.
local check = require("check")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local message = require("host.run.message")
local modules = require("host.walls.modules")
local percent = require("host.run.percent")

local next, rawget, rawlen, setmetatable = next, rawget, rawlen, setmetatable
local tostring, type = tostring, type
local find, format, gsub = string.find, string.format, string.gsub
local lower, sub = string.lower, string.sub
local concat = table.concat
local utf8_len = utf8.len

local encoded = percent.encoded

local exchange = {}

--- Bytes of a body that an error keeps.
local EXCERPT = 1000

local function invalid(text, ...)
  return nil, errors.new({ kind = errors.INVALID, message = format(text, ...), retryable = false })
end

-- Forms and queries ------------------------------------------------------------------------------

local SCALARS = { string = true, number = true, boolean = true }

--- Puts a name with a value, or with each of a list; answers what is wrong, if anything is.
local function put(parts, name, value)
  if SCALARS[type(value)] then
    parts[#parts + 1] = encoded(name) .. "=" .. encoded(tostring(value))
    return nil
  end
  if type(value) ~= "table" then
    return format("%s: a text, a number, a boolean or a list of them expected", check.show(name))
  end
  for index = 1, rawlen(value) do
    local one = rawget(value, index)
    if not SCALARS[type(one)] then
      return format("%s[%d]: a text, a number or a boolean expected", check.show(name), index)
    end
    put(parts, name, one)
  end
end

--- A table as the query of a URL, or as a form; in the order of names.
---@param values table<string, any>
---@return string|nil text
---@return string|nil fault
---@nodiscard
function exchange.encoded(values)
  for name in next, values do
    if type(name) ~= "string" then
      return nil, format("names are texts, not %s", check.show(name))
    end
  end
  local parts = {}
  for _, name in next, check.names(values) do
    local fault = put(parts, name, rawget(values, name))
    if fault then
      return nil, fault
    end
  end
  return concat(parts, "&"), nil
end

-- What is asked ----------------------------------------------------------------------------------

--- The body with its type; or nil, nil and what is wrong.
local function body_of(options)
  local given = {}
  for _, name in next, { "body", "form", "json" } do
    if options[name] ~= nil then
      given[#given + 1] = name
    end
  end
  if #given > 1 then
    return nil, nil, format("options '%s': one body only", concat(given, "' and '"))
  elseif options.json ~= nil then
    local text, err = json.encode(options.json, { name = "json" })
    return text, "application/json", err and err:message()
  elseif options.form ~= nil then
    local text, fault = exchange.encoded(options.form)
    return text, "application/x-www-form-urlencoded", fault and "option 'form': " .. fault
  end
  return options.body, nil, nil
end

--- The trace that the message at work belongs to goes on, unless the script says another one.
local TRACE = { "traceparent", "tracestate" }

local function headers_of(options)
  local headers, known = {}, {}
  for name, value in next, options.headers or {} do
    if type(name) ~= "string" or not SCALARS[type(value)] then
      local text = "option 'headers': names with a text, a number or a boolean each, not %s"
      return nil, format(text, check.show(type(name) == "string" and value or name))
    end
    headers[name], known[lower(name)] = tostring(value), true
  end
  local current = message.current()
  for _, name in next, current and TRACE or {} do
    local value = not known[name] and current:header(name)
    headers[name] = value and tostring(value) or headers[name]
  end
  return headers, nil
end

--- What crosses to the host, or nil and what is wrong.
local function asked(options)
  local headers, fault = headers_of(options)
  local body, content_type, query
  if not fault then
    body, content_type, fault = body_of(options)
  end
  if not fault and options.query then
    query, fault = exchange.encoded(options.query)
    fault = fault and "option 'query': " .. fault
  end
  local text, err
  if not fault then
    text, err = json.encode({
      headers = headers,
      content_type = content_type,
      query = query,
      timeout = options.timeout,
      follow = options.follow,
    }, { name = "option" })
    fault = err and err:message()
  end
  if fault then
    return nil, nil, fault
  end
  return text, body, nil
end

-- What comes back --------------------------------------------------------------------------------

-- Also the answers of `getmetatable`, so that scripts cannot reach the real ones.
local Headers = lock.metatable({
  __index = function(headers, name)
    return type(name) == "string" and rawget(headers, lower(name)) or nil
  end,
  __name = "http.headers",
}, "http.headers")

--- Where a response came from, in words, without what may be secret; a script may have changed it.
---@param response table
---@return string
---@nodiscard
function exchange.place(response)
  local url = rawget(response, "url")
  return type(url) == "string" and (gsub(url, "[?#].*$", "")) or "the other side"
end

--- Decodes the body of a response.
local function decode(response)
  local body = rawget(response, "body")
  if type(body) ~= "string" then
    return invalid("response:json: the body is a %s, not what came", type(body))
  end
  local value, err = json.decode(body)
  if err then
    local status, place = rawget(response, "status"), exchange.place(response)
    return invalid("the body from %s (%s) is no JSON: %s", place, check.show(status), err:message())
  end
  return value, nil
end

local Response = lock.metatable({
  __index = function(response, name)
    if name == "json" then
      return function()
        return decode(response)
      end
    end
  end,
  __name = "http.response",
}, "http.response")

local function joined(pairs_of_headers)
  local headers = {}
  for _, pair in next, pairs_of_headers do
    local name, value = lower(pair[1]), pair[2]
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return setmetatable(headers, Headers)
end

--- A response as scripts see it.
---@param head { status: integer, headers: string[][], url: string, retry_after?: number }
---@param body string
---@return http.Response
---@nodiscard
function exchange.response(head, body)
  return setmetatable({
    status = head.status,
    headers = joined(head.headers),
    body = body,
    url = head.url,
    retry_after = head.retry_after,
  }, Response)
end

--- The begin of a body that is text, for an error to keep.
---@param body any
---@return string|nil
---@nodiscard
function exchange.excerpt(body)
  if type(body) ~= "string" then
    return nil
  end
  local text = sub(body, 1, EXCERPT)
  if not utf8_len(text) and #body > EXCERPT then
    -- Perhaps it is only the cut that went through a letter.
    text = gsub(text, "[\xC2-\xF4][\x80-\xBF]*$", "")
  end
  return utf8_len(text) and text or nil
end

-- The way there ----------------------------------------------------------------------------------

-- The body comes in pieces, because all at once might not fit.
local function send(client, method, url, options, body)
  local text, err = lent.http_request(client, method, url, options, body)
  if not text then
    return nil, err
  end
  local at = find(text, "\n", 1, true)
  local head = json.decode(sub(text, 1, at - 1))
  local pieces, size = { sub(text, at + 1) }, #text - at
  while size < head.size do
    local piece, fault = lent.http_more()
    if not piece or piece == "" then
      return nil, fault or errors.new(errors.INTERNAL, "the body was lost on its way")
    end
    pieces[#pieces + 1] = piece
    size = size + #piece
  end
  return exchange.response(head, concat(pieces)), nil
end

local function nobody() end

--- Who answers in a test in place of the other side.
local stand_in = { answer = nobody }

local function send_to_stand_in(client, method, url, options, body)
  local text, err = lent.http_prepare(client, method, url, options)
  if not text then
    return nil, err
  end
  local request = json.decode(text)
  request.body = body
  local head, fault = stand_in.answer(request)
  return head and exchange.response(head, head.body), fault
end

--- Asks, and answers what comes back.
---@param client string   the id of an `http.client` entry, "" for none
---@param method string
---@param url string
---@param options http.Options   checked; `timeout` in seconds
---@return http.Response|nil response
---@return errors.Error|nil err
function exchange.ask(client, method, url, options)
  local text, body, fault = asked(options)
  if not text then
    return invalid("%s %s: %s", method, gsub(url, "[?#].*$", ""), fault)
  end
  local is_real = stand_in.answer == nobody
  return (is_real and send or send_to_stand_in)(client, method, url, text, body)
end

--- What tests know `stand_in` by.
exchange.KEY = "host.run.exchange"
modules.on_given(exchange.KEY, stand_in, stand_in)

return exchange
