-- expect: harmless (fails): a long message is cut
return function()
  error(("no "):rep(1000000))
end
