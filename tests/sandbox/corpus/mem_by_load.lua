-- expect: contained-memory: chunks
return function()
  local t = {}
  while true do
    t[#t + 1] = load("return '" .. ("x"):rep(10000) .. #t .. "'")
  end
end
