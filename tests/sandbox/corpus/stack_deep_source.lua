-- expect: harmless: a source that is nested deep is refused
return function()
  for _, source in ipairs({
    "return " .. ("("):rep(10000) .. "1" .. (")"):rep(10000),
    "return " .. ("{"):rep(10000) .. ("}"):rep(10000),
    ("do "):rep(10000) .. ("end "):rep(10000),
    "return " .. ("-"):rep(10000) .. "1",
    "return " .. ("'x'.."):rep(10000) .. "'x'",
    ("return function() "):rep(5000) .. ("end "):rep(5000),
    "x = " .. ("a."):rep(20000) .. "b",
  }) do
    pcall(load, source)
  end
end
