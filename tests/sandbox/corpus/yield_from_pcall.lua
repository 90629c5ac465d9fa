-- expect: denied: nor is anything that it calls
return function()
  if pcall(coroutine.yield, 1) or select(2, pcall(coroutine.yield)) == nil then
    error("reached the host by a yield")
  end
  return nil, "denied"
end
