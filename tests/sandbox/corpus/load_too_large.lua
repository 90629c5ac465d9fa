-- expect: denied: a source has its limit
return function()
  local f, problem = load(("x = 1 "):rep(50000))
  if f or not problem then
    error("reached a large chunk")
  end
  return nil, "denied"
end
