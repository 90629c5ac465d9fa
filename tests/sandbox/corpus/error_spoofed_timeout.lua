-- expect: harmless (fails): a script that says it was stopped has failed, no more
return function()
  error("time is over", 0)
end
