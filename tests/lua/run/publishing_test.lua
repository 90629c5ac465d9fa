local json = require("json")
local publishing = require("host.run.publishing")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

--- What crosses for a message.
local function crossing(body, headers, options)
  local list = {}
  local last, fault = publishing.put(list, 0, body, headers, options)
  test.is_nil(fault)
  return table.move(list, 1, last, 1, {})
end

--- The names and values of `count` pairs behind the first `at`.
local function pairs_of(list, at, count)
  local found = {}
  for place = at + 1, at + 2 * count, 2 do
    found[list[place]] = list[place + 1]
  end
  return found
end

local function options_of(options)
  local list = crossing(1, nil, options)
  return pairs_of(list, 4, list[4])
end

--- More than cross as they are.
local function many()
  local headers = {}
  for number = 1, 17 do
    headers["h" .. number] = number
  end
  return headers
end

describe("publishing.put", function()
  it("writes a body alone", function()
    eq(crossing({ id = 7 }), { '{"id":7}', false, 0, 0 })
  end)

  it("puts it behind what is there", function()
    local list = crossing(1)
    eq(publishing.put(list, 4, 2), 8)
    eq(list, { "1", false, 0, 0, "2", false, 0, 0 })
  end)

  it("hands a string over as it is", function()
    for _, body in ipairs({ "text", "", '"\n\0', "\xFF" }) do
      eq(crossing(body), { body, true, 0, 0 })
    end
  end)

  for _, body in ipairs({ 7, 1.5, true, false, {} }) do
    local name = type(body) == "table" and "of an empty table" or tostring(body)
    it(("takes the body %s"):format(name), function()
      eq(json.decode(crossing(body)[1]), body)
    end)
  end

  it("hands headers over as they are given", function()
    local headers =
      { source = "shop", tries = 3, rate = 1.0, ok = false, empty = "", tax_x_rate = 1 }
    local list = crossing(1, headers)
    eq({ list[3], list[4], pairs_of(list, 4, 6) }, { 6, 0, headers })
  end)

  it("puts headers before options", function()
    eq(crossing(1, { a = 1 }, { id = "b" }), { "1", false, 1, 1, "a", 1, "id", "b" })
  end)

  it("writes empty headers and options as none", function()
    eq(crossing(1, {}, {}), { "1", false, 0, 0 })
  end)

  for _, case in ipairs({
    { "are many", many() },
    { "are long", { a = ("x"):rep(257) } },
    { "have long names", { [("x"):rep(257)] = 1 } },
    { "are for the host to refuse", { a = { b = json.null } } },
  }) do
    it("writes headers as JSON that " .. case[1], function()
      local list = crossing(1, case[2], { id = "b" })
      eq({ list[3], list[4] }, { -1, 1 })
      eq({ json.decode(list[5]), list[6], list[7] }, { case[2], "id", "b" })
    end)
  end

  it("turns durations and moments into seconds", function()
    eq(options_of({ delay = "5m", ttl = 30 }), { delay = 300.0, ttl = 30 })
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
    { 1, { a = -1 / 0 }, nil, "headers.a is infinite" },
    { 1, { a = "\xFF" }, nil, "headers.a is not valid UTF-8" },
    { 1, { ["\xFF"] = 1 }, nil, "headers has a name that is not valid UTF-8" },
    { 1, nil, 7, "options: table expected, got 7" },
    { 1, nil, { id = print }, "options.id is a function" },
    { 1, nil, { delay = "soon" }, "option 'delay': a duration is expected" },
    { 1, nil, { ttl = "" }, "option 'ttl': a duration is expected" },
    { 1, nil, { at = "tomorrow" }, "option 'at': a time such as" },
    { 1, nil, { at = 0 / 0 }, "options.at is NaN" },
  }) do
    local body, headers, options, message = table.unpack(case, 1, 4)
    it("refuses: " .. message, function()
      local last, fault = publishing.put({}, 0, body, headers, options)
      test.is_nil(last)
      test.contains(fault, message)
    end)
  end
end)
