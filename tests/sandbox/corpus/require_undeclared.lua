-- expect: denied: only declared modules
return function()
  for _, name in ipairs({ "test", "package", "host.raw", "lupa", "boot", "world" }) do
    if pcall(require, name) then
      error("reached " .. name)
    end
  end
  return nil, "denied"
end
