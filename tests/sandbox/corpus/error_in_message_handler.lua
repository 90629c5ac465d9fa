-- expect: harmless: an error in the handler of an error is that handler's result
return function()
  local ok, said = xpcall(error, function()
    error("again", 0)
  end, "first")
  assert(not ok and said == "again", tostring(said))
end
