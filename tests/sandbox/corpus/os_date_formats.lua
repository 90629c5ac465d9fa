-- expect: denied: no locale code of the C library, no long formats
return function()
  for _, format in ipairs({ "%Ec", "%Oy", ("%c"):rep(1000), ("x"):rep(65) }) do
    if pcall(os.date, format) then
      error("reached " .. format:sub(1, 10))
    end
  end
  pcall(os.date, "%c", math.maxinteger)
  pcall(os.date, "*t", math.mininteger)
  pcall(os.date, "%")
  pcall(os.date, "%Q")
  pcall(os.date, "\0%Ec")
  return nil, "denied"
end
