-- expect: denied: no file, no process
return function()
  if
    _G.dofile
    or _G.loadfile
    or _G.package
    or next(io, next(io))
    or io.open("io_is_absent.lua")
  then
    error("reached a file")
  end
  for name in pairs(os) do
    if not ("time clock date difftime"):find(name, 1, true) then
      error("reached os." .. name)
    end
  end
  return nil, "denied"
end
