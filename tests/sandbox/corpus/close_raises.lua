-- expect: harmless: a closing that raises replaces the error, no more
return function()
  local ok, problem = pcall(function()
    local _ <close> = setmetatable({}, {
      __close = function()
        error("from close", 0)
      end,
    })
    error("first", 0)
  end)
  assert(not ok and problem == "from close")
end
