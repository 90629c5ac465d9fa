-- expect: denied: the metatable of strings is out of reach
return function()
  if getmetatable("") or pcall(setmetatable, "", {}) then
    error("reached the metatable of strings")
  end
  if pcall(load("local s = '' s.MARKER = 1")) or ("").MARKER ~= nil then
    error("reached the methods of strings")
  end
  return nil, "denied"
end
