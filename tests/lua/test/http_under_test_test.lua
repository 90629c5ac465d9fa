local errors = require("errors")
local http_under_test = require("host.test.http_under_test")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

--- What comes back where the test's function returns these values.
local function answer(...)
  local values = table.pack(...)
  return http_under_test.answering(function()
    return table.unpack(values, 1, values.n)
  end)({ method = "GET", url = "https://bank.example/a?b=1", headers = {} })
end

describe("http_under_test.answering", function()
  it("shows a request with its path and its query", function()
    local seen
    local answering = http_under_test.answering(function(request)
      seen = request
      return {}
    end)
    answering({
      method = "GET",
      url = "https://bank.example:8443/a/b?x=1+2&y=%C3%BC&z",
      headers = {},
    })
    eq({ seen.path, seen.query }, { "/a/b", { x = "1 2", y = "ü", z = "" } })
    answering({ method = "GET", url = "https://bank.example", headers = {} })
    eq({ seen.path, seen.query }, { "/", {} })
    answering({ method = "GET", url = "https://bank.example?x=/y", headers = {}, body = "[1]" })
    eq({ seen.path, seen.query, seen.json() }, { "/", { x = "/y" }, { 1 } })
  end)

  it("fills in what a response has", function()
    eq(answer({}), { status = 200, headers = {}, body = "", url = "https://bank.example/a?b=1" })
    local found = answer({ status = 429, json = { 1 }, headers = { ["Retry-After"] = 3 } })
    eq({ found.status, found.body, found.retry_after }, { 429, "[1]", 3 })
    eq(found.headers, { { "content-type", "application/json" }, { "retry-after", "3" } })
  end)

  it("hands on how the network fails", function()
    local found, err = answer(nil, errors.new(errors.TIMEOUT, "asleep"))
    test.has_error(found, err)
    eq(err:kind(), errors.TIMEOUT)
    found, err = answer(nil, "asleep")
    test.has_error(found, err)
    eq(tostring(err), "asleep")
  end)

  for _, case in ipairs({
    { nil, "the function must return { status = …, json = … }, or nil and an error, not nil" },
    { 200, "or nil and an error, not 200" },
    {
      { stauts = 1 },
      "what the function returned: unknown option 'stauts', did you mean 'status'?",
    },
    { { status = 7 }, "option 'status': at least 100 expected, got 7" },
    { { json = { print } }, "json[1] is a function, which JSON cannot carry" },
  }) do
    it("says what is wrong: " .. case[2], function()
      fails("test.http: ", answer, case[1])
      fails(case[2], answer, case[1])
    end)
  end
end)
