-- expect: harmless (fails): a table is shown as a literal
return function()
  error({ code = 7, why = "no bank" })
end
