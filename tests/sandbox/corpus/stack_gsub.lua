-- expect: harmless: gsub in gsub ends with an error
return function()
  local function nest()
    return (("x"):gsub("x", nest))
  end
  local ok, problem = pcall(nest)
  assert(not ok and problem:find("overflow"), problem)
end
