-- The work itself, which the specification leaves open: count the words of a text.
local function process_task(task)
    if type(task.data) ~= "string" then
        return nil, "task " .. tostring(task.id) .. " has no text"
    end
    local _, words = task.data:gsub("%S+", "")
    return { id = task.id, words = words }
end

-- From here on letter by letter as in the specification.
local json = require("json")
local logger = require("logger")

local function handler(body)
    local data = json.decode(body)

    logger.info("Verarbeite", {task_id = data.id})

    local result, err = process_task(data)
    if err then
        return nil, err  -- Nack: Nachricht erneut einreihen
    end

    return result  -- Ack: Aus Queue entfernen
end

return handler
