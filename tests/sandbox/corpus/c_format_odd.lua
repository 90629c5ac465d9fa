-- expect: harmless: formats that no printf should see
return function()
  for _, format in ipairs({ "%n", "%1000d", "%.1000f", "%*d", "%ld", "%p", "%", "%q", "%a" }) do
    pcall(string.format, format, 1)
    pcall(string.format, format, {})
    pcall(string.format, format)
  end
  assert(not pcall(string.format, "%n", 1) and not pcall(string.format, "%*d", 1, 1))
end
