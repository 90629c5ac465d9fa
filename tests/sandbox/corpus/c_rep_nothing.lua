-- expect: harmless: nothing, very often
return function()
  assert((""):rep(math.maxinteger) == "")
  assert((""):rep(1e18, "") == "")
end
