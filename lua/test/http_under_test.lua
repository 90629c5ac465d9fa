--- What a test's own function answers in place of the other side of HTTP.
---
---     local answer = http_under_test.answering(function(request)
---       return { json = { asked = request.path } }
---     end)
---     answer({ method = "GET", url = "https://bank.example/a?b=1", headers = {} }).status --> 200
local check = require("check")
local errors = require("errors")
local json = require("json")
local lock = require("host.walls.lock")

local error, next, setmetatable, tostring, type = error, next, setmetatable, tostring, type
local format, gsub, lower, match = string.format, string.gsub, string.lower, string.match

local http_under_test = {}

---@class http_under_test.Request       what a script has asked for
---@field method string                   in capital letters, such as "POST"
---@field url string                      all of it, with the query
---@field path string                     without host and query, such as "/accounts"
---@field query table<string, string>     what stands behind the `?`; of several the last
---@field headers table<string, string>   by name, in small letters; those of the entry too
---@field body string|nil                 as it was sent
---@field json fun(self): any             decodes the body

---@class (exact) http_under_test.Answer  what the other side says
---@field status? integer                 (default 200)
---@field headers? table<string, string>  by name, in any letters
---@field json? any                       the body, as JSON
---@field body? string                    the body, as it is

local ANSWER = {
  status = { type = "integer", default = 200, min = 100, max = 999 },
  headers = { type = "table", default = {} },
  json = { type = "table|string|number|boolean" },
  body = { type = "string" },
}

local Request = lock.metatable({
  __index = function(request, name)
    if name == "json" then
      return function()
        return json.decode(request.body or "")
      end
    end
  end,
  __name = "request",
}, "request")

local function unescaped(text)
  return (
    gsub(gsub(text, "+", " "), "%%(%x%x)", function(digits)
      return string.char(tonumber(digits, 16))
    end)
  )
end

local function query_of(url)
  local query = {}
  for part in string.gmatch(match(url, "%?(.*)$") or "", "[^&]+") do
    local name, value = match(part, "^([^=]*)=?(.*)$")
    query[unescaped(name)] = unescaped(value)
  end
  return query
end

local function request_of(asked)
  asked.path = match(asked.url, "^%a+://[^/?]*([^?]*)")
  asked.path = asked.path ~= "" and asked.path or "/"
  asked.query = query_of(asked.url)
  return setmetatable(asked, Request)
end

local function wrong(text, ...)
  error("test.http: " .. format(text, ...), 0)
end

--- What the script gets of what the test's function answers.
local function head_of(answer, url)
  if type(answer) ~= "table" then
    wrong(
      "the function must return { status = …, json = … }, or nil and an error, not %s",
      check.show(answer)
    )
  end
  local fields, fault = check.read(answer, ANSWER)
  if not fields then
    wrong("what the function returned: %s", fault)
  end
  local headers, body = {}, fields.body or ""
  if fields.json ~= nil then
    local text, err = json.encode(fields.json, { name = "json" })
    body = text or wrong("what the function returned: %s", tostring(err))
    headers[1] = { "content-type", "application/json" }
  end
  for name, value in next, fields.headers do
    headers[#headers + 1] = { lower(tostring(name)), tostring(value) }
  end
  local pause = tonumber(fields.headers["Retry-After"] or fields.headers["retry-after"])
  return { status = fields.status, headers = headers, body = body, url = url, retry_after = pause }
end

--- A function that takes a request as it leaves a script, and answers what comes back.
---@param answer fun(request: http_under_test.Request): http_under_test.Answer|nil, errors.Error|nil
---@return fun(asked: table): table|nil, errors.Error|nil
function http_under_test.answering(answer)
  return function(asked)
    local url = asked.url
    local found, err = answer(request_of(asked))
    if found == nil and err ~= nil then
      return nil, errors.from(err)
    end
    return head_of(found, url), nil
  end
end

return http_under_test
