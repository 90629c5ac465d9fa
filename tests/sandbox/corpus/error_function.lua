-- expect: harmless (fails): a function is named, without an address
return function()
  error(print)
end
