-- expect: contained-memory: a metatable for each table
return function()
  local t = {}
  while true do
    t[#t + 1] = setmetatable({}, { __index = t })
  end
end
