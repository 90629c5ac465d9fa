-- expect: denied: no binary chunk, however it is offered
return function()
  local binary = "\27LuaT\0\25\x93\r\n\26\n\4\8\8"
  for _, mode in ipairs({ "b", "bt", "t", "tb", "", "bb" }) do
    if load(binary, "x", mode) then
      error("reached with mode " .. mode)
    end
  end
  if load(binary) or string.dump then
    error("reached a binary chunk")
  end
  return nil, "denied"
end
