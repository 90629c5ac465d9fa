local env = require("env")
local errors = require("errors")
local http = require("http")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local function at(path)
  return env.get("MOONQ_TEST_HTTP") .. path
end

--- How often the server was asked for a path.
local function count(path)
  return (test.no_error(http.get(at("/count"), { query = { of = path } })):json())
end

--- That a request fails so.
local function fails_with(kind, retryable, text, response, err)
  test.has_error(response, err)
  test.contains(tostring(err), text)
  eq({ err:kind(), err:retryable() }, { kind, retryable })
end

describe("a server that takes its time", function()
  local short = { timeout = 0.15 }

  for _, case in ipairs({
    { "/silent", "while waiting for the answer" },
    { "/slow-headers", "while waiting for the answer" },
    { "/slow-informational", "while waiting for the answer" },
    { "/slow-body", "while reading the body" },
  }) do
    it("holds nobody beyond one time limit: " .. case[1], function()
      fails_with(
        errors.TIMEOUT,
        true,
        "GET " .. at(case[1]) .. ": not done within",
        http.get(at(case[1]), short)
      )
      local _, err = http.get(at(case[1]), short)
      test.contains(tostring(err), case[2])
    end)
  end

  it("has the time that the entry gives", function()
    local client = http.client("web:small")
    fails_with(errors.TIMEOUT, true, "not done within 300ms", client:get("/silent"))
  end)

  it("is cut off with the handler that waits for it", function()
    local answer, err =
      test.call("web:hasty_asker", { url = at("/slow-body"), options = { timeout = 60 } })
    fails_with(errors.TIMEOUT, true, "stopped after 300ms (timeout)", answer, err)
  end)
end)

describe("a server that breaks off", function()
  for _, case in ipairs({
    { "/cut", "the answer broke off behind 9B" },
    { "/cut-chunk", "the answer broke off behind 7B" },
    { "/gone", "what came back is no answer: Server disconnected" },
    { "/no-http", "what came back is no answer" },
    { "/odd-status", "what came back is no answer" },
    { "/odd-length", "what came back is no answer" },
    { "/big-headers", "what came back is no answer" },
    { "/damaged", "its body cannot be unpacked" },
    { "/packed-twice", "its body is packed several times over: gzip, gzip" },
  }) do
    it("is an error that may pass: " .. case[1], function()
      fails_with(errors.UNAVAILABLE, true, case[2], http.post(at(case[1])))
    end)
  end

  it("is asked again as often as the entry says, where that does no harm", function()
    local client = http.client("web:patient")
    eq(test.no_error(client:get("/flaky")):json(), "at last")
    eq(count("/flaky") % 3, 0)
    local before = count("/flaky")
    test.has_error(client:post("/flaky"))
    eq(count("/flaky"), before + 1)
    test.has_error(client:get("/gone"))
  end)
end)

describe("an answer that is too large", function()
  for _, path in ipairs({ "/says-huge", "/endless", "/bomb", "/large?size=200000" }) do
    it("is refused before it is taken: " .. path, function()
      local before = collectgarbage("count")
      local client = http.client("web:small")
      local text = "its body has more than 100K; ask for less, or raise `max_response`"
      fails_with(errors.INVALID, false, text, client:get(path, { timeout = 5 }))
      test.lt(collectgarbage("count") - before, 500)
    end)
  end

  it("has ten megabytes without an entry", function()
    fails_with(errors.INVALID, false, "more than 10M", http.get(at("/bomb")))
  end)
end)

describe("nobody who answers", function()
  it("is an error that may pass", function()
    local response, err = http.get("http://127.0.0.1:1/", { timeout = 60 })
    fails_with(
      errors.UNAVAILABLE,
      true,
      "connecting to 127.0.0.1:1: connection refused",
      response,
      err
    )
  end)
end)

describe("a redirect", function()
  local function to(url, status)
    return at("/redirect?status=" .. (status or 302) .. "&to=" .. url:gsub("[&?=#]", {
      ["&"] = "%26",
      ["?"] = "%3F",
      ["="] = "%3D",
      ["#"] = "%23",
    }))
  end

  it("is an answer like others", function()
    local response = test.no_error(http.get(to("/echo")))
    eq({ response.status, response.headers.location, response.body }, { 302, "/echo", "elsewhere" })
  end)

  it("is followed where the script says so", function()
    local response = test.no_error(http.get(to("/echo?a=1#top"), { follow = 1 }))
    eq({ response.status, response.url }, { 200, at("/echo?a=1") })
  end)

  for _, case in ipairs({
    { 301, "POST", "GET", "" },
    { 302, "POST", "GET", "" },
    { 303, "PUT", "GET", "" },
    { 307, "POST", "POST", "x=1" },
    { 308, "PUT", "PUT", "x=1" },
    { 302, "PUT", "PUT", "x=1" },
  }) do
    local status, before, after, body = case[1], case[2], case[3], case[4]
    it(("with %d makes %s of %s"):format(status, after, before), function()
      local options = { follow = 1, form = { x = 1 } }
      local found = test.no_error(http.request(before, to("/echo", status), options)):json()
      eq({ found.method, found.body }, { after, body })
      eq(found.headers["content-type"] == nil, body == "")
    end)
  end

  it("is followed so often and no further", function()
    fails_with(
      errors.UNAVAILABLE,
      true,
      "more than 3 redirects, the last to '/loop'",
      http.get(at("/loop"), { follow = 3 })
    )
  end)

  it("takes credentials along to the same host only", function()
    local client = http.client("web:local")
    local headers = { Cookie = "c", ["X-Token"] = "t", ["X-Kept"] = "kept" }
    local options = { follow = 1, headers = headers }
    local found = test.no_error(client:get("/redirect?to=/echo", options)):json().headers
    eq({ found.authorization, found.cookie, found["x-shop"] }, { "Bearer t0ken", "c", "moonq" })
    -- The same server by another name is another host.
    local elsewhere = env.get("MOONQ_TEST_HTTP"):gsub("127.0.0.1", "localhost") .. "/echo"
    found = test.no_error(client:get("/redirect?to=" .. elsewhere, options)):json().headers
    for _, name in ipairs({ "authorization", "cookie", "x-token", "x-api-key", "x-shop" }) do
      test.is_nil(found[name], name)
    end
    eq(found["x-kept"], "kept")
  end)

  for _, case in ipairs({
    { "http://169.254.169.254/latest", errors.PERMISSION_DENIED, "a cloud's metadata service" },
    { "http://[::ffff:169.254.169.254]/", errors.PERMISSION_DENIED, "a cloud's metadata service" },
    { "http://2852039166/", errors.PERMISSION_DENIED, "a cloud's metadata service" },
    { "http://0xa9.0xfe.0xa9.0xfe/", errors.PERMISSION_DENIED, "a cloud's metadata service" },
    { "//169.254.169.254/", errors.PERMISSION_DENIED, "a cloud's metadata service" },
    { "file:///etc/passwd", errors.UNAVAILABLE, "must begin with http:// or https://" },
    { "http://ada:pw@bank.example/", errors.UNAVAILABLE, "holds a user or a password" },
    { "http://[", errors.UNAVAILABLE, "where nobody can go" },
  }) do
    it("leads to no forbidden place: " .. case[1], function()
      local response, err = http.get(to(case[1]), { follow = 5, timeout = 60 })
      test.has_error(response, err)
      eq(err:kind(), case[2])
      test.contains(tostring(err), case[3])
    end)
  end
end)

describe("an address", function()
  for _, case in ipairs({
    { "http://169.254.169.254/", "the address of a cloud's metadata service" },
    { "http://169.254.1.1/", "a link-local address" },
    { "http://[fe80::1]/", "a link-local address" },
    { "http://[fd00:ec2::254]/", "the address of a cloud's metadata service" },
    { "http://224.0.0.1/", "a multicast address" },
    { "http://[ff02::1]/", "a multicast address" },
    { "http://0.0.0.0/", "no machine's address" },
    { "http://0.1.2.3/", "no machine's address" },
    { "http://[::]/", "no machine's address" },
    { "http://255.255.255.255/", "a reserved address" },
    { "http://[::ffff:169.254.169.254]/", "another form of 169.254.169.254" },
    { "http://[::ffff:0.0.0.0]/", "another form of 0.0.0.0" },
    { "http://[::ffff:198.51.100.7]/", "the IPv4 address 198.51.100.7 written as IPv6" },
    { "http://[::ffff:0:a9fe:a9fe]/", "another form of 169.254.169.254" },
    { "http://[64:ff9b::a9fe:a9fe]/", "another form of 169.254.169.254" },
    { "http://[2002:a9fe:a9fe::1]/", "another form of 169.254.169.254" },
    { "http://[::a9fe:a9fe]/", "another form of 169.254.169.254" },
    { "http://2852039166/", "leads to 169.254.169.254" },
    { "http://0xa9.254.43518/", "leads to 169.254.169.254" },
    { "http://0/", "leads to 0.0.0.0" },
  }) do
    it("that is nobody's business is refused: " .. case[1], function()
      local response, err = http.get(case[1], { timeout = 60 })
      test.has_error(response, err)
      test.contains(tostring(err), case[2])
      test.contains(tostring(err), "under `allow` of an http.client entry")
      eq({ err:kind(), err:retryable() }, { errors.PERMISSION_DENIED, false })
    end)
  end
end)

describe("a policy", function()
  local function asked(order)
    return test.call("web:guarded_asker", order)
  end

  it("is asked about each URL, without its query", function()
    test.no_error(asked({ url = at("/echo?key=1") }))
    local answer, err = asked({ url = at("/binary?key=1") })
    test.has_error(answer, err)
    eq(err:kind(), errors.PERMISSION_DENIED)
    test.contains(
      tostring(err),
      "web:guarded may not http.request " .. at("/binary") .. ": no policy"
    )
    test.is_nil(tostring(err):find("key=1", 1, true))
  end)

  it("is asked about where a redirect leads", function()
    test.no_error(asked({ url = at("/redirect?to=/echo"), options = { follow = 1 } }))
    local answer, err = asked({ url = at("/redirect?to=/binary"), options = { follow = 1 } })
    test.has_error(answer, err)
    test.contains(tostring(err), "may not http.request " .. at("/binary"))
  end)

  it("sees one spelling of a path", function()
    for _, path in ipairs({ "/x/../echo", "/x/%2e%2E/echo", "/./echo" }) do
      test.no_error(asked({ url = at(path) }))
    end
    for _, path in ipairs({ "/echo/../binary", "/echo/%2e%2e/binary", "/echo/.%2E/binary" }) do
      test.has_error(asked({ url = at(path) }))
    end
    local disguised = { "/echo/..%2fbinary", "/echo%2F..%2Fbinary", "/echo/%2e%2e%5Cbinary" }
    for _, path in ipairs(disguised) do
      local _, err = http.get(at(path))
      test.contains(tostring(err), "steps out of a folder by `..` and an escaped slash")
    end
  end)
end)

describe("an http.client", function()
  it("has an address, headers and credentials", function()
    local client = http.client("local")
    local found = test.no_error(client:post("/echo?a=1", { json = 1, query = { b = 2 } })):json()
    eq(found.target, "/echo?a=1&b=2")
    eq({ found.headers.authorization, found.headers["x-shop"] }, { "Bearer t0ken", "moonq" })
    found = test.no_error(client:request("OPTIONS", "echo")):json()
    eq(found.method, "OPTIONS")
  end)

  it("sends a name and a password to whom it is asked for", function()
    local found = test.no_error(http.client("known"):get(at("/echo"))):json()
    eq(found.headers.authorization, "Basic YWRhOmMwbXBpbGVy")
  end)

  it("keeps its credentials from all but the host of its address", function()
    local elsewhere = env.get("MOONQ_TEST_HTTP"):gsub("127.0.0.1", "localhost") .. "/echo"
    local found = test.no_error(http.client("local"):get(elsewhere)):json().headers
    eq({ found.authorization, found["x-api-key"], found["x-shop"] }, {})
    found = test.no_error(http.client("local"):get(at("/echo"))):json().headers
    eq(found.authorization, "Bearer t0ken")
  end)

  it("lets the script overrule a header", function()
    local headers = { ["x-shop"] = "mine", Authorization = "none" }
    local found = test.no_error(http.client("local"):get("/echo", { headers = headers })):json()
    eq({ found.headers["x-shop"], found.headers.authorization }, { "mine", "none" })
  end)

  it("goes to no other host by two slashes", function()
    fails_with(
      errors.INVALID,
      false,
      "begins with `//`",
      http.client("local"):get("//bank.example/")
    )
  end)

  it("must be there", function()
    local client, err = http.client("web:nobody")
    test.has_error(client, err)
    eq(err:kind(), errors.NOT_FOUND)
  end)

  it("is called with a colon", function()
    test.fails(
      "client:get() is called with a colon, on what http.client answers",
      http.client("local").get,
      "/echo"
    )
  end)

  it("trusts the authorities that its entry names, and asks by name", function()
    local url = env.get("MOONQ_TEST_HTTPS") .. "/echo"
    local found = test.no_error(http.client("secure"):get(url)):json()
    eq(found.headers.host, (env.get("MOONQ_TEST_HTTPS"):gsub("https://", "")))
    fails_with(
      errors.UNAVAILABLE,
      true,
      "no TLS with localhost: its certificate is refused",
      http.get(url)
    )
    local other = url:gsub("localhost", "127.0.0.2")
    fails_with(errors.UNAVAILABLE, true, "127.0.0.2", http.client("secure"):get(other))
  end)

  it("goes through its proxy", function()
    local found = test.no_error(http.client("proxied"):get("http://bank.example/x?a=1")):json()
    eq(found, { asked = "http://bank.example/x?a=1", auth = "Basic YWRhOnB3" })
    local url = env.get("MOONQ_TEST_HTTPS") .. "/echo"
    local answer = test.no_error(http.client("proxied"):get(url)):json()
    eq(answer.method, "GET")
    test.is_nil(answer.headers["proxy-authorization"])
    fails_with(
      errors.UNAVAILABLE,
      true,
      "the proxy refuses to connect: 403",
      http.client("proxied"):get("https://bank.example/")
    )
  end)

  it("keeps literal addresses from the proxy that are nobody's business", function()
    for _, host in ipairs({ "169.254.169.254", "2852039166", "0xa9fea9fe" }) do
      local response, err = http.client("proxied"):get("http://" .. host .. "/")
      test.has_error(response, err)
      eq(err:kind(), errors.PERMISSION_DENIED)
    end
  end)
end)
