local queue = require("queue")

--- Publishes `count` tasks and returns how many; each is on the disk before the next one follows.
return function(options)
  local count = options and options.count or 20
  for number = 1, count do
    assert(queue.publish("app.queue:tasks", { id = number, data = "task number " .. number }))
  end
  return count
end
