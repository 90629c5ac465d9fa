-- expect: denied: nothing shows the upvalues of a function
return function()
  for _, name in ipairs({ "getupvalue", "setupvalue", "upvalueid", "upvaluejoin", "getlocal" }) do
    if debug[name] ~= nil then
      error("reached debug." .. name)
    end
  end
  return nil, "denied"
end
