-- expect: harmless (fails): false is a failure that says so
return function()
  return false
end
