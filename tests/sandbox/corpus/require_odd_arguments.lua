-- expect: denied: a name is a string
return function()
  local name = setmetatable({}, {
    __tostring = function()
      return "host.raw"
    end,
    __index = function()
      return "json"
    end,
    __eq = function()
      return true
    end,
  })
  for _, value in ipairs({ name, 1, true, print, 0 / 0 }) do
    if pcall(require, value) then
      error("reached " .. tostring(value))
    end
  end
  if pcall(require) or pcall(require, nil) then
    error("reached nil")
  end
  return nil, "denied"
end
