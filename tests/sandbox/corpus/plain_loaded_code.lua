-- expect: harmless: expressions as data
return function()
  local f = assert(load("local a, b = ... return a * b"))
  assert(f(6, 7) == 42)
  local bad, problem = load("return +", "formula")
  assert(bad == nil and problem:find('"formula"]:1:', 1, true), problem)
  local env = { price = 10, math = math }
  assert(load("return math.floor(price * 1.19)", "=tax", "t", env)() == 11)
end
