-- expect: contained-time: trimming a hundred thousand blanks
return function()
  local s = (" "):rep(100000) .. "x" .. (" "):rep(100000)
  while true do
    pcall(string.match, s, "^%s*(.-)%s*$")
    pcall(string.gsub, s, "%s*$", "")
  end
end
