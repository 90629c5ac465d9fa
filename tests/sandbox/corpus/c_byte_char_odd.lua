-- expect: harmless: byte, char and utf8 at their limits
return function()
  local s = ("x"):rep(2000000)
  pcall(string.byte, s, 1, -1)
  pcall(string.char, -1)
  pcall(string.char, 256)
  pcall(utf8.char, math.maxinteger)
  pcall(utf8.codepoint, s, 1, -1)
  pcall(utf8.len, s, math.mininteger, math.maxinteger)
  pcall(utf8.offset, s, math.mininteger)
  pcall(select, math.mininteger, 1)
end
