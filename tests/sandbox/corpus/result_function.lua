-- expect: harmless: a function as result
return function()
  return print, coroutine.create(print)
end
