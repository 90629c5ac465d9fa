-- expect: harmless: a long chain of __call ends in an error, not in a crash
return function()
  local f = print
  for _ = 1, 1000 do
    f = setmetatable({}, { __call = f })
  end
  pcall(f)
end
