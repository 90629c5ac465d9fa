-- expect: harmless (fails): a handler is no coroutine
return function()
  coroutine.yield("out")
end
