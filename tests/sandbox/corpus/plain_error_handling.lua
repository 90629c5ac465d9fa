-- expect: harmless: raising and catching as in any program
return function()
  local ok, problem = pcall(error, { code = 7 })
  assert(not ok and problem.code == 7)
  ok, problem = pcall(function()
    return _G.nothing.x
  end)
  assert(not ok and problem:find("attempt to index a nil value"))
  local trace = select(
    2,
    xpcall(function()
      error("deep")
    end, debug.traceback)
  )
  assert(trace:find("plain_error_handling.lua:%d+: deep") and trace:find("stack traceback"))
  assert(select(
    "#",
    pcall(function()
      return 1, nil, nil
    end)
  ) == 4)
  assert(not pcall(assert, false, "x") and assert(1, "x") == 1)
  local rethrown = select(
    2,
    pcall(function()
      local _, inner = pcall(error, "x", 0)
      error(inner .. "y", 0)
    end)
  )
  assert(rethrown == "xy")
end
