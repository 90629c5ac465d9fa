-- expect: denied: what a read-only table does by itself tells nothing of the table behind it
return function()
  local frozen = string
  local child = setmetatable({}, { __index = frozen, __newindex = frozen })
  if pcall(function()
    child.find = 1
  end) then
    error("reached the backing by inheritance")
  end
  if getmetatable(frozen) ~= false then
    error("reached a metatable")
  end
  pcall(function()
    return frozen .. "x"
  end)
  pcall(function()
    return frozen < frozen
  end)
  pcall(frozen)
  return nil, "denied"
end
