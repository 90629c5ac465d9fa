-- expect: harmless: an error in a closing is the coroutine's error
return function()
  local co = coroutine.create(function()
    local _ <close> = setmetatable({}, {
      __close = function()
        error("closing", 0)
      end,
    })
    coroutine.yield()
  end)
  coroutine.resume(co)
  local ok, problem = coroutine.close(co)
  assert(not ok and problem == "closing")
  assert(coroutine.close(co) and coroutine.status(co) == "dead")
end
