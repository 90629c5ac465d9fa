-- expect: contained-memory: a string that doubles
return function()
  local s = "x"
  while true do
    s = s .. s
  end
end
