-- expect: harmless (fails): a long __name does not get into messages whole
return function()
  local odd = setmetatable({}, { __name = ("n"):rep(1000000) })
  return #odd + odd + string.rep(odd)
end
