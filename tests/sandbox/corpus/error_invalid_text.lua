-- expect: harmless (fails): bytes that are no UTF-8 are shown somehow
return function()
  error("\xff\xfe\0\xed\xa0\x80 end", 0)
end
