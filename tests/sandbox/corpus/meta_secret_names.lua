-- expect: denied: the names that make tables weak are nowhere to be seen
local json, queue = require("json"), require("queue")
local modules = { json, queue, require("logger"), require("store"), require("time") }

return function()
  local seen, sought = {}, {}
  local function look(value)
    if type(value) == "string" and value:find("^%x+$") and #value == 24 then
      sought[#sought + 1] = value
    elseif type(value) ~= "table" or seen[value] then
      return
    end
    if type(value) == "table" then
      seen[value] = true
      look(getmetatable(value))
      for key, item in pairs(value) do
        look(key)
        look(item)
      end
    end
  end
  look(_G)
  look(modules)
  look({ errors.new("x"), queue.message(), json.null })
  local weak = setmetatable({}, { __mode = "k", __gc = print })
  look(weak)
  for _, f in ipairs({ next, pairs, ipairs, setmetatable, getmetatable, rawset, tostring }) do
    for _, value in ipairs({ weak, "__mode", "__gc" }) do
      local _, said = pcall(f, value, value, value)
      look(said)
    end
  end
  for _, name in ipairs(sought) do
    local maybe = setmetatable({}, { [name] = "k" })
    maybe[{}] = 1
    for round = 1, 50 do
      local _ = ("x"):rep(300000) .. round
    end
    if next(maybe) == nil then
      error("reached a weak table")
    end
  end
  return nil, "denied"
end
