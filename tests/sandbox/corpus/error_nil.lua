-- expect: harmless (fails): nil is no message, and yet a readable failure
return function()
  error(nil)
end
