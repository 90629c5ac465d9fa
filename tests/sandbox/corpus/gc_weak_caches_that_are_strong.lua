-- expect: contained-memory: what a weak cache holds stays, and counts
local cache = setmetatable({}, { __mode = "kv" })

return function()
  while true do
    cache[{}] = ("x"):rep(1000) .. #cache
  end
end
