-- expect: harmless: a local of the file lives as long as the worker
local seen = {}

return function(body)
  seen[#seen + 1] = body
  assert(#seen == body)
end
