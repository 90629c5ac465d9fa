-- expect: harmless (fails): a table that can be called is no function
return setmetatable({}, { __call = print })
