-- expect: denied: of the debug library only traceback is left, and it tells strings
return function()
  for name in pairs(debug) do
    if name ~= "traceback" then
      error("reached debug." .. name)
    end
  end
  local thread = coroutine.create(print)
  assert(debug.traceback(thread) == thread and type(debug.traceback("x", 0)) == "string")
  return nil, "denied"
end
