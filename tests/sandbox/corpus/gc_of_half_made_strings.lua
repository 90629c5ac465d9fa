-- expect: harmless: memory behind a string in the making comes back, though its coroutine died
return function()
  local long = ("x"):rep(20000)
  local function give_up(count)
    return function()
      count = count + 1
      if count > 15000 then
        error("enough")
      end
      return "yy"
    end
  end
  for _ = 1, 400 do
    coroutine.resume(coroutine.create(string.gsub), long, "x", give_up(0))
  end
end
