-- expect: harmless (fails): a coroutine is named, without an address
return function()
  error(coroutine.create(print))
end
