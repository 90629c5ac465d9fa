-- expect: harmless: handlers of errors in handlers of errors
return function()
  local function nest(n)
    if n > 0 then
      xpcall(error, nest, n - 1)
    end
    error("again")
  end
  pcall(nest, 40)
  pcall(coroutine.wrap(nest), 40)
end
