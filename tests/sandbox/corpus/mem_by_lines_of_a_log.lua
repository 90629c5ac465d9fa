-- expect: contained-memory: a long text, printed
return function()
  local long = ("x"):rep(4 << 20)
  print(long, long, long, long, long, long)
end
