-- expect: contained-time: a reader that never answers, and one that answers for ever
return function()
  local function nothing()
    while true do
    end
  end
  while true do
    pcall(load, function()
      error(setmetatable({}, { __tostring = nothing }))
    end)
    load(function()
      return load(nothing)
    end)
  end
end
