-- expect: denied: a handler makes no globals
return function()
  local makes = load("MARKER = 1")
  if
    pcall(makes)
    or pcall(coroutine.wrap(makes))
    or pcall(rawset, _G, "MARKER", 1)
    or pcall(function()
      _G.MARKER = 1
    end)
  then
    error("reached the globals")
  end
  return nil, "denied"
end
