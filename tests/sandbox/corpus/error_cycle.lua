-- expect: harmless (fails): a table inside itself comes to an end
return function()
  local t = { name = "loop" }
  t.self, t[1], t[t] = t, { t }, t
  error(t)
end
