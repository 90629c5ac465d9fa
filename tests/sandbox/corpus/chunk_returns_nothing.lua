-- expect: harmless (fails): a file without a function
local _ = 1
