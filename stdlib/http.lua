--- Requests over HTTP and HTTPS, within one time limit each.
---
---     local http = require("http")
---     local answer, err = http.get("https://bank.example/accounts/7", { timeout = "5s" })
---     answer.status                   --> 200
---     answer.headers["content-type"]  --> "application/json"
---     answer:json().balance           --> 4200
---
--- What the network does is `nil, err`; whatever the other side answers is a value, an error status
--- too: `http.raise` makes an error of that. A client with an address, headers and credentials of
--- its own is an `http.client` entry:
---
---     local bank = http.client("app:bank")
---     bank:post("/charges", { json = { cents = 4200 } }).status --> 201
---
--- The page "HTTP" of the manual says who may not be asked, and what happens on redirects.
local check = require("check")
local durations = require("host.run.durations")
local errors = require("errors")
local exchange = require("host.run.exchange")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local bare_names = require("host.walls.bare_names")

local error, rawget, setmetatable = error, rawget, setmetatable
local tostring, type = tostring, type
local format = string.format

local http = {}

---@class (exact) http.Options  what a request is made with, besides its URL
---@field query? table<string, any>      behind the `?`; a list gives its name several times
---@field headers? table<string, any>    by name; they go before those of the entry
---@field json? any                      the body, as JSON
---@field form? table<string, any>       the body, as a form of the web would send it
---@field body? string                   the body, as it is
---@field timeout? string|number         for all of it, with redirects and body (default: 30
---                                      seconds, or as the entry says)
---@field follow? integer                redirects that are followed, at most 20 (default 0)

---@class http.Response  what was answered, whatever its status
---@field status integer                 such as 200; what a redirect says, unless it was followed
---@field headers table<string, string>  by name, in any letters; several are joined by ", "
---@field body string                    unpacked, at most 10 MiB, or as the entry says
---@field url string                     where it came from, behind all redirects
---@field retry_after? number            seconds for which it asks to be left alone
---@field json fun(self: http.Response): any, errors.Error?  decodes the body

local OPTIONS = {
  query = { type = "table" },
  headers = { type = "table" },
  json = { type = "table|string|number|boolean" },
  form = { type = "table" },
  body = { type = "string" },
  timeout = { type = "string|number" },
  follow = { type = "integer", min = 0, max = 20 },
}

--- Options that are fine, with the time in seconds; raises at the line of the function's caller.
local function checked(where, url, options)
  local fault
  if type(url) ~= "string" then
    fault = format("url: string expected, got %s", type(url))
  else
    options, fault = check.read(options, OPTIONS)
  end
  if options and not fault and options.timeout ~= nil then
    options.timeout, fault = durations.parse(options.timeout)
    if options.timeout == 0 then
      fault = "more than 0 seconds are expected"
    end
    fault = fault and "option 'timeout': " .. fault
  end
  if fault then
    error(where .. ": " .. fault, 4)
  end
  return options
end

local function ask(where, client, method, url, options)
  return exchange.ask(client, method, url, checked(where, url, options))
end

--- Asks for what is there.
---@param url string
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   UNAVAILABLE, TIMEOUT; PERMISSION_DENIED, INVALID
---@nodiscard
function http.get(url, options)
  local response, err = ask("http.get", "", "GET", url, options)
  return response, err
end

--- Asks for the status and the headers of what is there.
---@param url string
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.get`
---@nodiscard
function http.head(url, options)
  local response, err = ask("http.head", "", "HEAD", url, options)
  return response, err
end

--- Sends something to be worked on.
---@param url string
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.get`; after a TIMEOUT it may have been done
function http.post(url, options)
  local response, err = ask("http.post", "", "POST", url, options)
  return response, err
end

--- Puts something in its place.
---@param url string
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.post`
function http.put(url, options)
  local response, err = ask("http.put", "", "PUT", url, options)
  return response, err
end

--- Changes a part of what is there.
---@param url string
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.post`
function http.patch(url, options)
  local response, err = ask("http.patch", "", "PATCH", url, options)
  return response, err
end

--- Takes away what is there.
---@param url string
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.post`
function http.delete(url, options)
  local response, err = ask("http.delete", "", "DELETE", url, options)
  return response, err
end

--- Makes a request with any method but CONNECT and TRACE.
---@param method string   in capital letters, such as "OPTIONS"
---@param url string
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.post`
function http.request(method, url, options)
  check.argument("http.request", "method", method, "string")
  local response, err = ask("http.request", "", method, url, options)
  return response, err
end

-- Clients ----------------------------------------------------------------------------------------

---@class http.Client  an `http.client` entry, with the functions of the module as methods
local methods = {}

-- Also the answer of `getmetatable`, so that scripts cannot reach the real one.
local NAME = "http.client"
local Client = lock.metatable({ __index = methods, __name = NAME }, NAME)

--- The id of the client that a method was called on; raises when it was called with a dot.
local function id_of(self, method)
  local id = lock.is_of(self, Client) and rawget(self, "id")
  if not id then
    error(format("client:%s() is called with a colon, on what http.client answers", method), 3)
  end
  return id
end

--- As `http.get`, with what the entry of the client says.
---@param url string   a path behind the entry's `base_url`, or a URL
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.get`
---@nodiscard
function methods:get(url, options)
  local response, err = ask("client:get", id_of(self, "get"), "GET", url, options)
  return response, err
end

--- As `http.head`, with what the entry of the client says.
---@param url string   a path behind the entry's `base_url`, or a URL
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.get`
---@nodiscard
function methods:head(url, options)
  local response, err = ask("client:head", id_of(self, "head"), "HEAD", url, options)
  return response, err
end

--- As `http.post`, with what the entry of the client says.
---@param url string   a path behind the entry's `base_url`, or a URL
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.post`
function methods:post(url, options)
  local response, err = ask("client:post", id_of(self, "post"), "POST", url, options)
  return response, err
end

--- As `http.put`, with what the entry of the client says.
---@param url string   a path behind the entry's `base_url`, or a URL
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.post`
function methods:put(url, options)
  local response, err = ask("client:put", id_of(self, "put"), "PUT", url, options)
  return response, err
end

--- As `http.patch`, with what the entry of the client says.
---@param url string   a path behind the entry's `base_url`, or a URL
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.post`
function methods:patch(url, options)
  local response, err = ask("client:patch", id_of(self, "patch"), "PATCH", url, options)
  return response, err
end

--- As `http.delete`, with what the entry of the client says.
---@param url string   a path behind the entry's `base_url`, or a URL
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.post`
function methods:delete(url, options)
  local response, err = ask("client:delete", id_of(self, "delete"), "DELETE", url, options)
  return response, err
end

--- As `http.request`, with what the entry of the client says.
---@param method string   in capital letters, such as "OPTIONS"
---@param url string      a path behind the entry's `base_url`, or a URL
---@param options? http.Options
---@return http.Response|nil response
---@return errors.Error|nil err   as of `http.post`
function methods:request(method, url, options)
  local id = id_of(self, "request")
  check.argument("client:request", "method", method, "string")
  local response, err = ask("client:request", id, method, url, options)
  return response, err
end

--- A client of the project.
---@param id moonq.HttpClientId   the id of an `http.client` entry
---@return http.Client client
---@return errors.Error|nil err   NOT_FOUND; then there is no client
---@nodiscard
function http.client(id)
  check.argument("http.client", "id", id, "string")
  local full, err = lent.http_client(id)
  if not full then
    return nil, err
  end
  return setmetatable({ id = full }, Client), nil
end

-- Error statuses ---------------------------------------------------------------------------------

--- What a status says, where its hundreds say something else or nothing.
local KINDS = {
  [401] = errors.PERMISSION_DENIED,
  [403] = errors.PERMISSION_DENIED,
  [404] = errors.NOT_FOUND,
  [408] = errors.TIMEOUT,
  [409] = errors.CONFLICT,
  [410] = errors.NOT_FOUND,
  [412] = errors.CONFLICT,
  [425] = errors.UNAVAILABLE,
  [429] = errors.RATE_LIMITED,
  [501] = errors.INVALID,
  [504] = errors.TIMEOUT,
  [505] = errors.INVALID,
}
--- Kinds that another try does not help; a conflict is for the script to judge.
local LASTING = { PERMISSION_DENIED = true, NOT_FOUND = true, INVALID = true }

--- Makes an error of a response with a status from 400 on; any other one is handed through, and
--- so is an error: `http.raise(http.get(url))`. A message whose handler returns the error waits as
--- long as the response asks for (`Retry-After`), and is dead at once where no further try helps.
---@param response http.Response|nil
---@param err? errors.Error
---@return http.Response|nil response
---@return errors.Error|nil err   `details` has `status` and the begin of the `body`
function http.raise(response, err)
  if response == nil then
    return nil, err
  end
  check.argument("http.raise", "response", response, "table")
  local status, body = rawget(response, "status"), rawget(response, "body")
  if type(status) ~= "number" then
    error("http.raise: a response expected, which has a status", 2)
  elseif status < 400 then
    return response, nil
  end
  local kind = KINDS[status] or (status < 500 and errors.INVALID or errors.UNAVAILABLE)
  local retryable = true
  if LASTING[kind] then
    retryable = false
  elseif kind == errors.CONFLICT then
    retryable = nil
  end
  local delay = rawget(response, "retry_after")
  local said = type(body) == "string" and body ~= "" and ": " .. check.show(body) or ""
  return nil,
    errors.new({
      kind = kind,
      message = format("%s answered %s%s", exchange.place(response), tostring(status), said),
      retryable = retryable,
      details = { status = status, body = exchange.excerpt(body) },
      delay = retryable ~= false and type(delay) == "number" and delay or nil,
    })
end

bare_names.takes(http, { client = bare_names.first })

return http
