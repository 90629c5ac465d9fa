-- expect: harmless (fails): a table whose keys are tables is told soon as well
return function()
  local t = {}
  for _ = 1, 2000 do
    t[{ { {} } }] = {}
  end
  error(t)
end
