-- The standard library as it is meant to be used.
local errors_module = require("errors")
local json = require("json")
local logger = require("logger")
local queue = require("queue")
local store = require("store")

local publish, NOT_FOUND = queue.publish, errors.NOT_FOUND
local log = logger.with({ part = "mail" })

local function arguments()
  return "app:mail", { 1 }
end

local function handler(body)
  local message = queue.message()
  logger.info("one")
  logger:info("two", { attempt = message and message:attempt() })
  log.warn("three", { json.null })
  log:named("four").error("five")
  publish(arguments())
  publish("app:mail", body)
  publish("mail", body, nil, { delay = "5s" })
  queue.publish("app:mail.dead", body)
  local values = store.open("app:values")
  values:set("k", json.encode(body, { pretty = true }))
  local err = errors_module.new({ kind = NOT_FOUND, message = "none" })
  if json.version then
    logger.info(json.version.major)
  end
  return errors.is(err, errors.INVALID) and err:message()
end

return handler
