-- expect: denied: the collector takes no orders
return function()
  for _, order in ipairs({ "collect", "stop", "restart", "step", "incremental", "generational" }) do
    if pcall(collectgarbage, order) then
      error("reached the collector by " .. order)
    end
  end
  assert(type(collectgarbage("count")) == "number")
  return nil, "denied"
end
