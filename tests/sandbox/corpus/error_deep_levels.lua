-- expect: harmless (fails): levels beyond the stack
return function()
  pcall(error, "x", 1000000)
  pcall(error, "x", -1)
  error("here", 50)
end
