-- expect: harmless: a seed is the script's own
return function()
  math.randomseed(42)
  assert(math.random() ~= math.random())
end
