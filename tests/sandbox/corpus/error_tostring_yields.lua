-- expect: harmless (fails): an error whose text waits for somebody
return function()
  error(setmetatable({}, { __tostring = coroutine.yield }))
end
