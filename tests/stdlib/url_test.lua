local json = require("json")
local errors = require("errors")
local test = require("test")
local url = require("url")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("url.parse", function()
  for text, expected in pairs({
    ["https://example.com"] = { scheme = "https", host = "example.com", path = "" },
    ["HTTPS://Example.COM:8443/A%20b?x=1&y#z"] = {
      scheme = "https",
      host = "example.com",
      port = 8443,
      path = "/A%20b",
      query = "x=1&y",
      fragment = "z",
    },
    ["postgresql://an%40n:p%3Aw@[::1]:5432/db"] = {
      scheme = "postgresql",
      user = "an@n",
      password = "p:w",
      host = "::1",
      port = 5432,
      path = "/db",
    },
    ["/a/b?c"] = { path = "/a/b", query = "c" },
    ["mailto:ann@example.com"] = { scheme = "mailto", path = "ann@example.com" },
    [""] = { path = "" },
  }) do
    it(("takes %q apart"):format(text), function()
      eq(url.parse(text), expected)
    end)
  end

  for text, why in pairs({
    ["http://a b/"] = "' ' at byte 9",
    ["http://a/\nb"] = "'\\n' at byte 10",
    ["http://a/\0"] = "at byte 10",
    ["http://a:99999/"] = "Port out of range",
    ["http://a:0/"] = "port 0",
    ["http://a:x/"] = "Port could not be cast",
    ["http://[::1/"] = "Invalid IPv6 URL",
    ["http://\xff/"] = "can't decode byte",
    ["http://a\\b/"] = "at byte 9",
  }) do
    it(("refuses %q"):format(text), function()
      local found, err = url.parse(text)
      test.is_nil(found)
      eq(err:kind(), errors.INVALID)
      test.contains(err:message(), "url.parse: not a URL: ")
      test.contains(err:message(), why)
    end)
  end

  it("refuses what is longer than any server takes", function()
    local _, err = url.parse("http://a/" .. ("x"):rep(65536))
    test.contains(err:message(), "more than 65536")
  end)
end)

describe("url.build", function()
  it("puts together what parse takes apart", function()
    for _, text in ipairs({
      "https://example.com/a/b?c=d#e",
      "https://an%40n:p%3Aw@[::1]:8443/x",
      "mailto:ann@example.com",
      "/only/a/path",
    }) do
      eq(url.build(url.parse(text)), text)
    end
  end)

  it("escapes what must be", function()
    eq(url.build({ scheme = "https", host = "a.de", path = "ü b" }), "https://a.de/%C3%BC%20b")
    eq(
      url.build({ scheme = "https", host = "a.de", query = { q = "a&b" } }),
      "https://a.de?q=a%26b"
    )
  end)

  it("refuses parts that there are not, and what makes no URL", function()
    fails("unknown option 'hots', did you mean 'host'?", url.build, { hots = "a" })
    fails("option 'port': at most 65535 expected", url.build, { host = "a", port = 70000 })
    fails(
      "url.build: query: q: string, number or boolean expected",
      url.build,
      { query = { q = print } }
    )
    local text, err = url.build({ scheme = "https", host = "a b" })
    test.is_nil(text)
    eq(err:kind(), errors.INVALID)
  end)
end)

describe("url.build", function()
  for name, parts in pairs({
    ["scheme: 'http://evil.example/' is none"] = { scheme = "http://evil.example/", host = "a" },
    ["host: 'a@evil.example' would be read as 'evil.example'"] = {
      scheme = "https",
      host = "a@evil.example",
    },
    ["host: 'evil.example/x' would be read as 'evil.example'"] = { host = "evil.example/x" },
    ["host: '' would be read as 'evil.example'"] = { path = "//evil.example/x" },
    ["scheme: '' would be read as 'javascript'"] = { path = "javascript:alert(1)" },
    ["user: there is no host beside it"] = { scheme = "https", user = "ann" },
    ["port: there is no host beside it"] = { path = "/x", port = 80 },
    ["password: there is no user beside it"] = { host = "a", password = "x" },
  }) do
    it("refuses parts that would be read as others: " .. name, function()
      local text, err = url.build(parts)
      test.is_nil(text)
      test.contains(err:message(), "url.build: " .. name)
    end)
  end

  it("escapes in a query what would end it", function()
    eq(
      url.build({ scheme = "https", host = "a", query = "b=1#c ü%20" }),
      "https://a?b=1%23c%20%C3%BC%20"
    )
  end)
end)

describe("url.join", function()
  -- Examples of RFC 3986, section 5.4; some for a scheme that nobody registered.
  for reference, expected in pairs({
    g = "http://a/b/c/g",
    ["/g"] = "http://a/g",
    ["../g"] = "http://a/b/g",
    ["../../../g"] = "http://a/g",
    ["?y"] = "http://a/b/c/d;p?y",
    ["#s"] = "http://a/b/c/d;p?q#s",
    ["//g"] = "http://g",
    ["https://g/h"] = "https://g/h",
    [""] = "http://a/b/c/d;p?q",
    ["."] = "http://a/b/c/",
    [".."] = "http://a/b/",
    ["../.."] = "http://a/",
    ["g;x=1/../y"] = "http://a/b/c/y",
    ["./g/."] = "http://a/b/c/g/",
    ["g?y/../x"] = "http://a/b/c/g?y/../x",
    ["/./g"] = "http://a/g",
    ["..g"] = "http://a/b/c/..g",
    ["http:g"] = "http:g",
    ["?"] = "http://a/b/c/d;p?",
  }) do
    it(("follows %q"):format(reference), function()
      eq(url.join("http://a/b/c/d;p?q", reference), expected)
      local own = expected:gsub("^http:", "shop:")
      eq(url.join("shop://a/b/c/d;p?q", reference:gsub("^http:", "shop:")), own)
    end)
  end

  it("refuses what is no URL", function()
    local _, err = url.join("http://a/", "b\r\nc")
    test.contains(err:message(), "url.join: not a URL")
  end)
end)

describe("url.encode and url.decode", function()
  it("are each other's way back", function()
    local odd = "a b/ü?&=+%\0\255~"
    eq(url.encode(odd), "a%20b%2F%C3%BC%3F%26%3D%2B%25%00%FF~")
    eq(url.decode(url.encode(odd)), odd)
  end)

  it("leave a plus as it is", function()
    eq(url.decode("a+b"), "a+b")
  end)

  it("refuse half an escape", function()
    for _, text in ipairs({ "%", "%4", "a%zz", "%41%" }) do
      local found, err = url.decode(text)
      test.is_nil(found)
      test.contains(err:message(), "is not followed by two hexadecimal digits")
    end
  end)
end)

describe("url.query and url.parse_query", function()
  it("write names in order, and lists as repeated names", function()
    eq(url.query({ b = { 1, "x y" }, a = true, c = 1.5, d = 2.0 }), "a=true&b=1&b=x%20y&c=1.5&d=2")
    eq(url.query({}), "")
    eq(url.query({ a = {} }), "")
  end)

  it("read names, values and forms", function()
    eq(
      url.parse_query("?a=1&b=x+y&b=%C3%BC&c&=d"),
      { a = "1", b = { "x y", "ü" }, c = "", [""] = "d" }
    )
    eq(url.parse_query("a=1&a=2&a=3"), { a = { "1", "2", "3" } })
    eq(url.parse_query(""), {})
  end)

  it("refuse what has no text", function()
    fails(
      "url.query: a[2]: string, number or boolean expected, got table",
      url.query,
      { a = { 1, {} } }
    )
    fails("url.query: a: string, number or boolean", url.query, { a = json.null })
    fails("url.query: a: a value or a list expected", url.query, { a = { x = 1 } })
    fails("url.query: names are texts, got number", url.query, { 1 })
    local _, err = url.parse_query("a=%z")
    test.contains(err:message(), "url.parse_query: url.decode: the % at byte 1")
  end)
end)
