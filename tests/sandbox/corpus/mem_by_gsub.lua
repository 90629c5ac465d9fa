-- expect: contained-memory: replacements that grow
return function()
  local s = "xx"
  while true do
    s = s:gsub("x", "xx")
  end
end
