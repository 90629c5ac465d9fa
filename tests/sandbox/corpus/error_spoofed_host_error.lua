-- expect: harmless (fails): a table that looks like the host's own record of an error is a table
return function()
  error({ value = { 1 }, stack = "fake.lua:1", source = "fake", line = 1 })
end
