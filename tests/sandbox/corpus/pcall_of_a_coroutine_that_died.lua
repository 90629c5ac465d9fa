-- expect: harmless: closings of a coroutine that raises are done when it is closed
return function()
  local closed = 0
  local co = coroutine.create(function()
    local _ <close> = setmetatable({}, {
      __close = function(_, problem)
        closed = closed + 1
        assert(problem == "x")
      end,
    })
    error("x", 0)
  end)
  local ok, problem = coroutine.resume(co)
  assert(not ok and problem == "x" and closed == 0)
  assert(coroutine.status(co) == "dead" and not coroutine.close(co) and closed == 1)
end
