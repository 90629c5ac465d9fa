-- expect: denied: lupa's table of Python functions is nowhere
return function()
  for _, name in ipairs({ "python", "lupa", "eval", "builtins", "_LOADED", "POBJECT" }) do
    if _G[name] ~= nil or rawget(_G, name) ~= nil then
      error("reached " .. name)
    end
  end
  return nil, "denied"
end
