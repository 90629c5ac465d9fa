-- expect: denied: the trusted half is no module, however it is written
return function()
  for _, name in ipairs({
    "host.raw",
    "host.walls.lent",
    "host.boot",
    "host.walls.world",
    "host.walls.limits",
    "host/raw",
    "../lua/raw",
    "host.raw\0",
    "HOST.raw",
    " host.raw",
    "json\0",
    "host.",
    "",
  }) do
    if pcall(require, name) then
      error("reached " .. name)
    end
  end
  return nil, "denied"
end
