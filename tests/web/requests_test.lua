local env = require("env")
local errors = require("errors")
local http = require("http")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

--- The URL of a path at the server.
local function at(path)
  return env.get("MOONQ_TEST_HTTP") .. path
end

--- What the server saw of a request.
local function seen(response, err)
  return test.no_error(response, err):json()
end

describe("http.get", function()
  it("answers status, headers in any letters, and body", function()
    local response = test.no_error(http.get(at("/echo")))
    eq(response.status, 200)
    eq(response.headers["Content-TYPE"], "application/json")
    eq(response.url, at("/echo"))
    eq(response:json().method, "GET")
    eq(response.json().target, "/echo")
  end)

  it("puts the query behind the URL, in the order of names", function()
    local query = { b = { 1, "x y" }, a = "ü&=", c = true }
    eq(
      seen(http.get(at("/echo?z=1"), { query = query })).target,
      "/echo?z=1&a=%C3%BC%26%3D&b=1&b=x%20y&c=true"
    )
  end)

  it("sends headers of the script before its own", function()
    local headers = { ["User-Agent"] = "shop", ["X-Number"] = 7 }
    local found = seen(http.get(at("/echo"), { headers = headers })).headers
    eq(found["user-agent"], "shop")
    eq(found["x-number"], "7")
    eq(found["accept"], "*/*")
    eq(found["host"], at(""):gsub("http://", ""))
    test.is_nil(found["content-length"])
  end)

  it("joins headers of one name, and reads old letters", function()
    local headers = test.no_error(http.get(at("/several"))).headers
    eq(headers["x-one"], "a, b")
    eq(headers["x-umlaut"], "ä")
  end)

  it("hands bytes through as they are", function()
    local body = test.no_error(http.get(at("/binary"))).body
    eq(#body, 256)
    eq({ body:byte(1), body:byte(256) }, { 0, 255 })
  end)

  it("takes bodies in pieces that are larger than one that crosses at once", function()
    local body = test.no_error(http.get(at("/large?size=9000000"))).body
    eq(#body, 9000016)
    eq(body:sub(-16), "0123456789abcdef")
  end)

  it("unpacks what was packed", function()
    eq(seen(http.get(at("/gzip"))), { packed = true })
  end)

  it("keeps the connection for the next request", function()
    local first = seen(http.get(at("/echo"))).connection
    eq(seen(http.get(at("/echo"))).connection, first)
  end)

  it("asks again where a kept connection turns out to be closed", function()
    test.no_error(http.get(at("/closes")))
    test.no_error(http.get(at("/closes")))
  end)
end)

describe("http.post", function()
  it("sends JSON, forms and bytes with their type", function()
    local found = seen(http.post(at("/echo"), { json = { cents = 4200 } }))
    eq({ found.body, found.headers["content-type"] }, { '{"cents":4200}', "application/json" })
    found = seen(http.post(at("/echo"), { form = { name = "Ada L.", n = { 1, 2 } } }))
    eq(found.body, "n=1&n=2&name=Ada%20L.")
    eq(found.headers["content-type"], "application/x-www-form-urlencoded")
    found =
      seen(http.post(at("/echo"), { body = "\xFF\0", headers = { ["Content-Type"] = "x/y" } }))
    eq({ found.body, found.headers["content-type"] }, { "ÿ\0", "x/y" })
    eq(seen(http.post(at("/echo"))).headers["content-length"], "0")
  end)

  each({ "post", "put", "patch", "delete", "get" }, "{} sends its own method", function(name)
    eq(seen(http[name](at("/echo"), { body = "x" })).method, name:upper())
  end)

  it("can be any method by http.request", function()
    eq(seen(http.request("REPORT", at("/echo"))).method, "REPORT")
  end)
end)

describe("http.head", function()
  it("answers headers, and waits for no body", function()
    local response = test.no_error(http.head(at("/head")))
    eq({ response.status, response.body, response.headers["x-is"] }, { 200, "", "there" })
  end)
end)

describe("mistakes", function()
  for _, case in ipairs({
    { "unknown option 'tiemout', did you mean 'timeout'?", "x", { tiemout = 1 } },
    { "http.get: option 'timeout': a duration is expected", "x", { timeout = "soon" } },
    { "http.get: option 'timeout': more than 0 seconds are expected", "x", { timeout = 0 } },
    { "http.get: option 'follow': at most 20 expected, got 21", "x", { follow = 21 } },
    { "http.get: option 'headers': table expected, got string", "x", { headers = "x" } },
    { "http.get: url: string expected, got nil" },
  }) do
    it("raise at the script's line: " .. case[1], function()
      local err = fails(case[1], function()
        local response = http.get(case[2], case[3])
        return response
      end)
      test.matches(tostring(err), "requests_test%.lua:%d+: ")
    end)
  end

  for _, case in ipairs({
    { "the URL must begin with http:// or https://", "bank.example/x" },
    { "the URL must begin with http:// or https://", "file:///etc/passwd" },
    { "the URL must begin with http:// or https://", "" },
    { "the URL names no host", "http:///x" },
    { "the URL holds a user or a password; use `auth`", "http://ada:pw@bank.example/" },
    { "the URL has a `#`", "http://bank.example/#top" },
    { "the URL holds a character that no URL has: ' '", "http://bank.example/a b" },
    { "the URL holds a character that no URL has: '\\r'", "http://bank.example/\r\nX: y" },
    { "the URL has a host or a port that makes no sense", "http://bank.example:99999/" },
    { "the URL has a host or a port that makes no sense", "http://[::1/" },
    { "the URL has port 0", "http://bank.example:0/" },
    { "the URL makes no sense: Invalid IDNA hostname", "http://\u{2764}\u{FE0F}.example/" },
    { "the URL has more than 8192 characters", "http://bank.example/" .. ("x"):rep(9000) },
    { "the URL is no UTF-8", "http://bank.example/\xFF" },
  }) do
    it(("in a URL are errors: %s"):format(case[1]), function()
      local response, err = http.get(case[2])
      test.has_error(response, err)
      test.contains(tostring(err), case[1])
      eq({ err:kind(), err:retryable() }, { errors.INVALID, false })
      test.is_nil(tostring(err):find("pw", 1, true))
    end)
  end

  for _, case in ipairs({
    { "`X-A` holds a line break, which would begin another header", { ["X-A"] = "1\r\nHost: b" } },
    { "the name of a header has letters, digits and `-`", { ["X A"] = "1" } },
    { "the name of a header has letters, digits and `-`", { ["X:\r\nA"] = "1" } },
    { "`Host` is written by moonq alone", { Host = "bank.example" } },
    { "`content-LENGTH` is written by moonq alone", { ["content-LENGTH"] = "1" } },
    { "`X-A` holds what no header can carry", { ["X-A"] = "ü" } },
    { "is there twice, in other letters", { ["X-A"] = "1", ["x-a"] = "2" } },
    { "names with a text, a number or a boolean each, not table", { ["X-A"] = {} } },
  }) do
    it("in a header are errors: " .. case[1], function()
      local response, err = http.get(at("/echo"), { headers = case[2] })
      test.has_error(response, err)
      test.contains(tostring(err), case[1])
      eq(err:kind(), errors.INVALID)
    end)
  end

  for _, case in ipairs({
    { "CONNECT is for proxies", "CONNECT" },
    { "TRACE is for proxies", "TRACE" },
    { "no method is called 'get'", "get" },
    { "no method is called 'GET /x HTTP/1.1", "GET /x HTTP/1.1\r\nX" },
    { "no method is called ''", "" },
  }) do
    it("in a method are errors: " .. case[1], function()
      local response, err = http.request(case[2], at("/echo"))
      test.has_error(response, err)
      test.contains(tostring(err), case[1])
    end)
  end

  for _, case in ipairs({
    { "options 'form' and 'json': one body only", { json = 1, form = {} } },
    {
      "option 'query': 'a': a text, a number, a boolean or a list of them expected",
      { query = { a = print } },
    },
    {
      "option 'query': 'a'[1]: a text, a number or a boolean expected",
      { query = { a = { {} } } },
    },
    { "option 'form': names are texts, not 1", { form = { "x" } } },
    { "json.a is a function, which JSON cannot carry", { json = { a = print } } },
  }) do
    it("in a body are errors: " .. case[1], function()
      local response, err = http.post(at("/echo"), case[2])
      test.has_error(response, err)
      test.contains(tostring(err), case[1])
      eq(err:kind(), errors.INVALID)
    end)
  end
end)

describe("response:json", function()
  it("says which answer is no JSON", function()
    local value, err = test.no_error(http.get(at("/status?is=200&body=%3Chtml%3E"))):json()
    test.has_error(value, err)
    test.contains(tostring(err), "the body from " .. at("/status") .. " (200) is no JSON")
  end)
end)

describe("http.raise", function()
  for _, case in ipairs({
    { 400, "INVALID", false },
    { 401, "PERMISSION_DENIED", false },
    { 404, "NOT_FOUND", false },
    { 408, "TIMEOUT", true },
    { 409, "CONFLICT", nil },
    { 429, "RATE_LIMITED", true },
    { 500, "UNAVAILABLE", true },
    { 503, "UNAVAILABLE", true },
    { 504, "TIMEOUT", true },
  }) do
    local status, kind, retryable = case[1], case[2], case[3]
    it(("makes %s of %d"):format(kind, status), function()
      local response, err = http.raise(http.get(at("/status?body=why&is=" .. status)))
      test.has_error(response, err)
      eq({ err:kind(), err:retryable() }, { kind, retryable })
      eq(err:details(), { status = status, body = "why" })
      eq(tostring(err), ("%s answered %d: 'why'"):format(at("/status"), status))
    end)
  end

  it("hands other responses through, and errors too", function()
    eq(test.no_error(http.raise(http.get(at("/status?is=302")))).status, 302)
    local response, err = http.raise(http.get("ftp://x"))
    test.has_error(response, err)
    test.contains(tostring(err), "must begin with")
  end)

  it("keeps for how long the other side wants to be left alone", function()
    local _, err = http.raise(http.get(at("/status?is=503&after=7")))
    eq(err:delay(), 7.0)
    eq(errors.wrap(err, "charging"):delay(), 7.0)
    _, err =
      http.raise(http.get(at("/status?is=503&after=Thu,%2001%20Jan%202026%2000:00:30%20GMT")))
    eq(err:delay(), 30.0)
    _, err = http.raise(http.get(at("/status?is=503&after=soon")))
    test.is_nil(err:delay())
  end)

  it("lets the message wait that long", function()
    local order = { url = at("/status?is=503&after=7") }
    eq(test.verdict("web:asker", order).delay, 7.0)
    eq(test.verdict("web:asker", { url = at("/status?is=404") }).reason, "rejected")
  end)
end)

describe("the trace of a message", function()
  it("goes on with its requests", function()
    local trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    local answer = test.call(
      "web:asker",
      { url = at("/echo") },
      { traceparent = trace, tracestate = "a=b" }
    )
    test.contains(answer.body, trace)
    test.contains(answer.body, '"tracestate": "a=b"')
  end)

  it("is that of the script where it has one", function()
    local options = { headers = { TraceParent = "mine" } }
    local answer = test.call(
      "web:asker",
      { url = at("/echo"), options = options },
      { traceparent = "its" }
    )
    test.contains(answer.body, '"traceparent": "mine"')
  end)
end)
