-- expect: denied: a handler cannot change a library
return function()
  for _, name in ipairs({ "string", "table", "math", "coroutine", "os", "utf8", "debug" }) do
    local library = _G[name]
    for key in pairs(library) do
      if
        pcall(function()
          library[key] = print
        end) or pcall(rawset, library, key, print)
      then
        error("reached " .. name)
      end
    end
  end
  return nil, "denied"
end
