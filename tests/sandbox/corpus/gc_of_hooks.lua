-- expect: harmless: the hooks of coroutines go with them
return function()
  for _ = 1, 60000 do
    coroutine.create(print)
  end
end
