local json = require("json")
local publishing = require("host.run.publishing")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

--- The options as they go to the host.
local function options_of(options)
  return json.decode(publishing.encode(1, nil, options).options)
end

describe("publishing.encode", function()
  it("writes a body alone", function()
    eq(publishing.encode({ id = 7 }), { body = '{"id":7}', headers = "", options = "" })
  end)

  for _, body in ipairs({ "text", 7, 1.5, true, false, {} }) do
    local name = type(body) == "table" and "of an empty table" or tostring(body)
    it(("takes the body %s"):format(name), function()
      eq(json.decode(publishing.encode(body).body), body)
    end)
  end

  it("writes headers as they are given", function()
    local headers =
      { source = "shop", tries = 3, rate = 1.0, ok = false, empty = "", tax_x_rate = 1 }
    eq(json.decode(publishing.encode(1, headers).headers), headers)
  end)

  it("writes empty headers and options as none", function()
    eq(publishing.encode(1, {}, {}), { body = "1", headers = "", options = "" })
  end)

  it("turns durations and moments into seconds", function()
    eq(options_of({ delay = "5m", ttl = 30 }), { delay = 300.0, ttl = 30.0 })
    eq(options_of({ at = "2026-01-01T00:00:00Z" }), { at = 1767225600.0 })
    eq(options_of({ at = 1767225600 }), { at = 1767225600 })
  end)

  it("takes names and priorities as they are", function()
    local options = { id = "order-7", dedup_key = "order-7", group = "ada", priority = "high" }
    eq(options_of(options), options)
  end)

  it("takes a delay of 365 days", function()
    eq(options_of({ delay = "365d" }), { delay = 31536000.0 })
  end)

  it("leaves what may be published to the host", function()
    eq(options_of({ ttl = 0, dely = 1 }), { ttl = 0, dely = 1 })
  end)

  for _, case in ipairs({
    { nil, nil, nil, "body is nil; publish at least {}" },
    { { items = { 1, { callback = print } } }, nil, nil, "body.items[2].callback is a function" },
    { { name = "\xFF" }, nil, nil, "body.name is not valid UTF-8" },
    { 1, 7, nil, "headers: table expected, got 7" },
    { 1, { a = 0 / 0 }, nil, "headers.a is NaN" },
    { 1, nil, 7, "options: table expected, got 7" },
    { 1, nil, { id = print }, "options.id is a function" },
    { 1, nil, { delay = "soon" }, "option 'delay': a duration is expected" },
    { 1, nil, { ttl = "" }, "option 'ttl': a duration is expected" },
    { 1, nil, { at = "tomorrow" }, "option 'at': a time such as" },
    { 1, nil, { at = 0 / 0 }, "options.at is NaN" },
  }) do
    local body, headers, options, message = table.unpack(case, 1, 4)
    it("refuses: " .. message, function()
      local parts, fault = publishing.encode(body, headers, options)
      test.is_nil(parts)
      test.contains(fault, message)
    end)
  end
end)
