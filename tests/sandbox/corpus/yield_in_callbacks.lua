-- expect: denied: a yield out of gsub, sort, load or a metamethod of C
return function()
  local co = coroutine.wrap(function()
    assert(not pcall(string.gsub, "x", "x", coroutine.yield))
    assert(not pcall(table.sort, { 3, 2, 1 }, coroutine.yield))
    return "end"
  end)
  if co() ~= "end" then
    error("reached over a C call")
  end
  return nil, "denied"
end
