-- expect: harmless (fails): nil and not-a-number
return function()
  return nil, 0 / 0
end
