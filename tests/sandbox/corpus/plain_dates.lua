-- expect: harmless: time and dates
return function()
  assert(type(os.time()) == "number" and type(os.clock()) == "number")
  assert(os.date("!%Y-%m-%d", 0) == "1970-01-01")
  assert(os.date("!*t", 86400).day == 2)
  assert(os.difftime(10, 4) == 6)
end
