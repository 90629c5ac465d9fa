-- expect: harmless: complaints of wrapped functions that no script frame called
return function()
  for _, call in ipairs({ string.rep, table.insert, table.concat, string.gsub, table.unpack }) do
    assert(not pcall(call, {}, {}, {}, {}))
    assert(not pcall(coroutine.wrap(call), {}, {}, {}, {}))
    assert(not coroutine.resume(coroutine.create(call), {}, {}, {}, {}))
  end
end
