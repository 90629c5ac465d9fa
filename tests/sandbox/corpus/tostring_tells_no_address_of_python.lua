-- expect: denied: no text tells of a Python object
local logger, queue, store = require("logger"), require("queue"), require("store")
local time = require("time")

return function()
  for _, value in ipairs({ time.now, print, require, logger, queue, store.open("app:values") }) do
    local text = tostring(value)
    if text:find("Python") or text:find("built%-in method") or text:find("bound") then
      error("reached " .. text)
    end
  end
  return nil, "denied"
end
