-- expect: harmless: what a file does to its libraries, it does to its own
for _, name in ipairs({ "string", "table", "math", "coroutine", "os", "utf8", "debug" }) do
  local library = _G[name]
  local keys = {}
  for key in pairs(library) do
    keys[#keys + 1] = key
  end
  for _, key in ipairs(keys) do
    library[key] = nil
  end
end
for _, name in ipairs({ "tostring", "type", "pcall", "error", "next", "pairs", "errors" }) do
  _G[name] = nil
end
_G.MARKER = true

return function(body)
  return ("x"):rep(body)
end
