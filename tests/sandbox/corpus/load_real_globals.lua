-- expect: denied: a loaded chunk has the script's environment, never the real globals
return function()
  local f = load("return _G, _ENV, python, io.popen, debug.getregistry, package")
  local g, e, python, io, registry, package = f()
  if g ~= _G or e ~= _G or python or io or registry or package then
    error("reached the real globals")
  end
  assert(not pcall(load("return type(_ENV)", "x", "t", nil)))
  return nil, "denied"
end
