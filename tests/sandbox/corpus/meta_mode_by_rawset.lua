-- expect: harmless: raw writes into a metatable come too late as well
return function()
  local meta = {}
  local object = setmetatable({ {} }, meta)
  rawset(meta, "__mode", "v")
  rawset(meta, "__gc", print)
  for index = 1, 50 do
    local _ = ("x"):rep(300000) .. index
  end
  assert(object[1])
end
