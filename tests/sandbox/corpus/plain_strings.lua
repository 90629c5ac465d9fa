-- expect: harmless: what people do with strings
return function()
  assert(("a,b,,c"):gsub(",+", ";") == "a;b;c")
  local words = {}
  for word in ("the quick brown fox"):gmatch("%a+") do
    words[#words + 1] = word:sub(1, 1):upper() .. word:sub(2)
  end
  assert(table.concat(words, " ") == "The Quick Brown Fox")
  assert(("  trim me  "):match("^%s*(.-)%s*$") == "trim me")
  assert(("%d items, %.2f EUR"):format(3, 9.5) == "3 items, 9.50 EUR")
  assert(("key = value"):match("^(%w+)%s*=%s*(%w+)$") == "key")
  assert(("x"):rep(3, ",") == "x,x,x" and ("abc"):reverse() == "cba")
  assert(("2026-01-31"):match("(%d+)-(%d+)-(%d+)") == "2026")
  assert(#"äöü" == 6 and utf8.len("äöü") == 3)
  assert(("f(a(b)c)d"):match("%b()") == "(a(b)c)")
  assert(("THE (quick) fox"):find("(quick)", 1, true) == 5)
end
