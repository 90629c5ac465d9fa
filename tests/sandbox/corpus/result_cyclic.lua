-- expect: harmless: any result is a success
return function()
  local t = {}
  t.t = t
  return t
end
