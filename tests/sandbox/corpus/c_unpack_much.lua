-- expect: denied: more values than a stack may hold
return function()
  for _, range in ipairs({
    { 1, 1e6 },
    { 1, 1e8 },
    { math.mininteger, math.maxinteger },
    { math.maxinteger - 1e7, math.maxinteger },
  }) do
    if pcall(table.unpack, {}, range[1], range[2]) then
      error("reached a huge stack")
    end
  end
  return nil, "denied"
end
