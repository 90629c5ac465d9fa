-- Publishes one task letter by letter as in the specification.
local function publish_first(payload)
local queue = require("queue")

queue.publish("app.queue:tasks", {
    id = "task-123",
    action = "process",
    data = payload
})
end

local TEXTS = {
    "Multiple queues can share one driver",
    "Several consumers can serve the same queue",
    "A worker takes the next message when it has finished the last",
    "What returns is acknowledged",
}

-- Publishes that one and one for each text, and returns how many that makes.
return function()
    local queue = require("queue")
    publish_first("A queue binds a name to a driver")
    for index, text in ipairs(TEXTS) do
        assert(queue.publish("app.queue:tasks", {
            id = "task-" .. 123 + index,
            action = "process",
            data = text,
        }))
    end
    return #TEXTS + 1
end
