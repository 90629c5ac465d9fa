local exchange = require("host.run.exchange")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("exchange.encoded", function()
  for _, case in ipairs({
    { {}, "" },
    { { b = 1, a = "x y", c = true, d = 1.5 }, "a=x%20y&b=1&c=true&d=1.5" },
    { { a = { 1, "ü", false } }, "a=1&a=%C3%BC&a=false" },
    { { ["a=b&"] = "&=+%/?" }, "a%3Db%26=%26%3D%2B%25%2F%3F" },
    { { a = "~-._" }, "a=~-._" },
    { { a = {} }, "" },
    { { a = "" }, "a=" },
  }) do
    it("writes " .. (case[2] == "" and "nothing" or case[2]), function()
      eq(exchange.encoded(case[1]), case[2])
    end)
  end

  it("says what it cannot write", function()
    local text, fault = exchange.encoded({ a = print })
    eq({ text, fault }, { nil, "'a': a text, a number, a boolean or a list of them expected" })
    text, fault = exchange.encoded({ a = { 1, {} } })
    eq({ text, fault }, { nil, "'a'[2]: a text, a number or a boolean expected" })
    text, fault = exchange.encoded({ 7 })
    eq({ text, fault }, { nil, "names are texts, not 1" })
  end)
end)

describe("exchange.response", function()
  local function response(headers, body, url)
    local head = { status = 200, headers = headers, url = url or "http://x/?key=1" }
    return exchange.response(head, body or "")
  end

  it("knows headers in any letters, several joined", function()
    local headers = response({ { "Set-Cookie", "a" }, { "X", "1" }, { "set-cookie", "b" } }).headers
    eq({ headers["SET-cookie"], headers.x, headers[1] }, { "a, b", "1", nil })
  end)

  it("decodes its body with a dot and with a colon", function()
    local found = response({}, '{"a":[1,null]}')
    eq({ found:json().a[1], found.json().a[1] }, { 1, 1 })
  end)

  it("says where a body came from that is no JSON, without the query", function()
    local value, err = response({}, "<html>"):json()
    test.has_error(value, err)
    test.contains(tostring(err), "the body from http://x/ (200) is no JSON")
    value, err = response({}, 7):json()
    test.has_error(value, err)
    test.contains(tostring(err), "the body is a number")
  end)
end)

describe("exchange.excerpt", function()
  it("is the begin of a text, in whole letters", function()
    eq(exchange.excerpt("why"), "why")
    eq(exchange.excerpt(("ü"):rep(600)), ("ü"):rep(500))
    eq(exchange.excerpt("x" .. ("ü"):rep(600)), "x" .. ("ü"):rep(499))
    test.is_nil(exchange.excerpt("\xFF\xFE"))
    test.is_nil(exchange.excerpt(nil))
  end)
end)
