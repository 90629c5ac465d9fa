-- expect: harmless: an environment of the script's own is its own business
return function()
  local env = { n = 1 }
  load("n = n + 1", "x", "t", env)()
  assert(env.n == 2)
  assert(not pcall(load("x = 1", "x", "t", 5)))
  assert(not pcall(load("return x", "x", "t", false)))
  assert(not pcall(load("y = 1", "x", "t", string)))
end
