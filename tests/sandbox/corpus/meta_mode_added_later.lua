-- expect: harmless: a mode that is added later makes nothing weak and corrupts nothing
return function()
  local meta = {}
  local weak = setmetatable({}, meta)
  meta.__mode = "kv"
  for round = 1, 50 do
    for index = 1, 200 do
      weak[index] = { round }
    end
    pcall(setmetatable, weak, {})
    pcall(setmetatable, weak, { __index = {} })
    local _ = ("x"):rep(200000) .. round
  end
  assert(weak[1][1] == 50)
end
