local logger = require("logger")
local test = require("test")

local describe, it, fails = test.describe, test.it, test.fails

describe("logger", function()
  local cycle = {}
  cycle.me = cycle

  for _, case in ipairs({
    { "nothing", nil, nil },
    { "a number", 7, nil },
    { "a table", { 1, 2 }, nil },
    { "a cycle", cycle, { cycle = cycle } },
    { "functions", print, { print } },
    { "an error", "x", require("errors").new("y") },
    { "no table of fields", "x", 7 },
    { "bytes", "\xFF", { ["\xFF"] = "\xFF" } },
    { "a long text", ("x"):rep(100000), { text = ("x"):rep(100000) } },
    { "NaN", "x", { rate = 0 / 0, deep = { rate = 0 / 0 } } },
  }) do
    local name, message, fields = case[1], case[2], case[3]
    it("never fails for " .. name, function()
      for _, level in ipairs({ "debug", "info", "warn", "error" }) do
        logger[level](message, fields)
        logger[level](logger, message, fields)
      end
    end)
  end

  it("shows the whole of a field that is no UTF-8", function()
    logger.info("read", { text = "caf\xE9 " .. ("x"):rep(100) })
    local logs = test.logs()
    test.eq(logs[#logs].fields.text, "caf\\xE9 " .. ("x"):rep(100))
  end)

  it("makes loggers that make loggers", function()
    local log = logger.with({ order = 7 }).named("mail"):with({ to = "ada" })
    log.info("sent")
    log:info("sent")
  end)

  it("bounds the names that loggers of loggers add up to", function()
    local log, taken = logger, 0
    local problem = "logger.named: name: with the names before it, it has more than 200 bytes"
    fails(problem, function()
      for _ = 1, 1000 do
        log = log.named("a.b.c")
        taken = taken + 1
      end
    end)
    test.eq(taken, 33)
  end)

  it("refuses what is no table of fields and no name", function()
    fails("logger.with: fields: table expected, got number", logger.with, 7)
    fails("logger.named: name: a string of 1 to 100 bytes expected, got nil", logger.named)
  end)
end)
