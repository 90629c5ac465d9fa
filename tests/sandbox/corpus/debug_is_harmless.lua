-- expect: denied: of the debug library only what is the script's own is left
return function()
  local left = { traceback = true, getupvalue = true, setupvalue = true, upvaluejoin = true }
  for name in pairs(debug) do
    if not left[name] then
      error("reached debug." .. name)
    end
  end
  local thread = coroutine.create(print)
  for _, text in ipairs({
    debug.traceback(thread),
    debug.traceback("x", 0),
    debug.traceback(thread, "x", 9),
  }) do
    if text:find("moonq", 1, true) or text:find("[C]", 1, true) or text:find("?", 1, true) then
      error("reached the host's frames: " .. text)
    end
  end
  return nil, "denied"
end
