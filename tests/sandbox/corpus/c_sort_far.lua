-- expect: denied: what has a metatable is not sorted
return function()
  local t = setmetatable({}, {
    __len = function()
      return 1 << 30
    end,
    __index = rawlen,
  })
  if pcall(table.sort, t) or pcall(table.sort, t, rawequal) then
    error("reached an endless sort")
  end
  return nil, "denied"
end
