-- expect: denied: more than a string may be
return function()
  for _, count in ipairs({ 1e9, 1 << 40, math.maxinteger }) do
    if pcall(string.rep, "xyz", count) or pcall(string.rep, "", count, "x") then
      error("reached a huge string")
    end
  end
  return nil, "denied"
end
