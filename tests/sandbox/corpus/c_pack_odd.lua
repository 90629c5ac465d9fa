-- expect: harmless: pack and unpack with sizes out of range
return function()
  for _, format in ipairs({ "i17", "!64i8", "s16", ("i8"):rep(1000), "c2147483647", "j", "Xi4" }) do
    pcall(string.pack, format, 1)
    pcall(string.unpack, format, "x", math.maxinteger)
    pcall(string.unpack, format, ("x"):rep(64))
    pcall(string.packsize, format)
  end
end
