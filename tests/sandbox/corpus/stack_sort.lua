-- expect: harmless: sort in sort ends with an error
return function()
  local function nest()
    table.sort({ 2, 1 }, nest)
  end
  local ok, problem = pcall(nest)
  assert(not ok and problem:find("overflow"), problem)
end
