-- expect: denied: a pattern has its limit
return function()
  if pcall(string.find, ("x"):rep(2000), ("x?"):rep(400)) then
    error("reached C with a long pattern")
  end
  return nil, "denied"
end
