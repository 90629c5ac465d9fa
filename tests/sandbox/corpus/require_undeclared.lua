-- expect: denied: only declared modules
return function()
  for _, name in ipairs({ "test", "io", "os", "package", "lupa", "socket", "boot", "world" }) do
    if pcall(require, name) then
      error("reached " .. name)
    end
  end
  return nil, "denied"
end
