-- expect: denied: the collector takes no orders
return function()
  for _, order in ipairs({ "restart", "step", "incremental", "generational", "collect", "stop" }) do
    collectgarbage(order)
  end
  -- Were it stopped, this would be more than the script may have.
  for i = 1, 40 do
    assert(#("x"):rep(1 << 20, i) > 0)
  end
  assert(not pcall(collectgarbage, "sweep") and collectgarbage("isrunning"))
  return nil, "denied"
end
