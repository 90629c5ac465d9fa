-- expect: harmless: pcall in pcall ends with an error
return function()
  local function nest()
    local ok, problem = pcall(nest)
    return ok and problem or tostring(problem)
  end
  assert(tostring(nest()):find("overflow"))
end
