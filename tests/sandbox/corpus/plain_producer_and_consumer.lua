-- expect: harmless: pcall over a yield, errors thrown into generators
return function()
  local log = {}
  local co = coroutine.wrap(function()
    local ok, problem = pcall(function()
      coroutine.yield("a")
      error("inside", 0)
    end)
    log[#log + 1] = tostring(ok) .. problem
    coroutine.yield("b")
    return "c"
  end)
  assert(co() == "a" and co() == "b" and co() == "c")
  assert(log[1] == "falseinside")
end
