-- expect: denied: a traceback shows frames of scripts only
return function()
  local trace = debug.traceback("here")
  if trace:find("moonq") or trace:find("%[C%]") or trace:find("?", 1, true) then
    error("reached " .. trace)
  end
  local _, inside = xpcall(error, debug.traceback, "x")
  if inside:find("moonq") or inside:find("%[C%]") then
    error("reached " .. inside)
  end
  return nil, "denied"
end
