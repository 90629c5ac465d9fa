-- expect: harmless: a handler as handlers are
local json, logger, queue = require("json"), require("logger"), require("queue")

return function(body)
  local msg = queue.message()
  logger.info("got it", { id = msg:id(), attempt = msg:attempt() })
  local id, err = queue.publish("app:q", { n = body, list = json.array() }, { source = "test" })
  assert(id and not err)
  assert(msg:body() == body and msg:header("source") == "shop")
  print("done", body)
  return { id = id }
end
