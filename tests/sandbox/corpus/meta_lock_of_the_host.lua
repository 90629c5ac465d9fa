-- expect: denied: what the host has locked stays locked
return function()
  for _, value in ipairs({ "", _G, string, errors.new("x"), require("queue").message() }) do
    if type(getmetatable(value)) == "table" or pcall(setmetatable, value, {}) then
      error("reached a metatable")
    end
  end
  return nil, "denied"
end
