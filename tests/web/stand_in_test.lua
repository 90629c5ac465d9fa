local errors = require("errors")
local http = require("http")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("test.http", function()
  it("answers in place of the other side, in handlers too", function()
    local seen = test.http(function(request)
      return {
        status = 201,
        json = { path = request.path, query = request.query, got = request:json() },
      }
    end)
    local options = { json = { cents = 4200 }, query = { a = "x y" } }
    local order = { method = "POST", url = "https://bank.example/charges", options = options }
    local answer = test.no_error(test.call("web:asker", order))
    eq(answer.status, 201)
    test.contains(answer.body, '"cents":4200')
    test.contains(answer.body, '"a":"x y"')
    local request = seen.calls[1][1]
    eq({ request.method, request.url }, { "POST", "https://bank.example/charges?a=x%20y" })
    eq(request.headers["content-type"], "application/json")
    eq(#seen.calls, 1)
  end)

  it("sees the address and the credentials of a client", function()
    local seen = test.http(function()
      return {}
    end)
    test.no_error(http.client("local"):get("/x"))
    local request = seen.calls[1][1]
    eq({ request.path, request.headers.authorization }, { "/x", "Bearer t0ken" })
  end)

  it("gives responses as the real ones are", function()
    test.http(function()
      return { status = 503, headers = { ["Retry-After"] = "9", ["X-A"] = 1 }, body = "later" }
    end)
    local response = test.no_error(http.get("https://bank.example"))
    eq({ response.status, response.body, response.headers["x-A"] }, { 503, "later", "1" })
    eq(response.url, "https://bank.example")
    eq(test.verdict("web:asker", { url = "https://bank.example/" }).delay, 9.0)
  end)

  it("can fail as the network does", function()
    test.http(function()
      return nil, errors.new(errors.TIMEOUT, "the bank sleeps")
    end)
    local response, err = test.call("web:asker", { url = "https://bank.example/" })
    test.has_error(response, err)
    eq({ err:kind(), err:retryable(), err:message() }, { "TIMEOUT", true, "the bank sleeps" })
  end)

  it("leaves checks and policies as they are", function()
    local seen = test.http(function()
      return {}
    end)
    test.has_error(http.get("ftp://bank.example/"))
    test.has_error(http.request("TRACE", "https://bank.example/"))
    local answer, err = test.call("web:guarded_asker", { url = "https://bank.example/" })
    test.has_error(answer, err)
    eq(err:kind(), errors.PERMISSION_DENIED)
    eq(seen.calls, {})
  end)

  it("says what its function must return", function()
    test.http(function()
      return 200
    end)
    fails(
      "test.http: the function must return { status = …, json = … }, or nil and an error, not 200",
      function()
        return http.get("https://bank.example/")
      end
    )
    test.http(function()
      return { stauts = 200 }
    end)
    fails("unknown option 'stauts', did you mean 'status'?", function()
      return http.get("https://bank.example/")
    end)
  end)

  it("fails the test where its function does", function()
    test.http(function(request)
      test.eq(request.path, "/charges")
      return {}
    end)
    fails('expected "/charges", got "/"', function()
      return test.call("web:asker", { url = "https://bank.example/" })
    end)
  end)

  it("ends with its test", function()
    local env = require("env")
    eq(test.no_error(http.get(env.get("MOONQ_TEST_HTTP") .. "/status?is=204")).status, 204)
  end)
end)
