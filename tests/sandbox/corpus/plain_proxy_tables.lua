-- expect: harmless: read-only and default tables
return function()
  local function readonly(t)
    return setmetatable({}, {
      __index = t,
      __newindex = function()
        error("read-only", 2)
      end,
      __pairs = function()
        return next, t, nil
      end,
      __len = function()
        return #t
      end,
    })
  end
  local days = readonly({ "Mon", "Tue" })
  assert(days[1] == "Mon" and #days == 2)
  assert(not pcall(function()
    days[3] = "Wed"
  end))
  local names = {}
  for _, name in pairs(days) do
    names[#names + 1] = name
  end
  assert(#names == 2)
  local counts = setmetatable({}, {
    __index = function(t, k)
      t[k] = 0
      return 0
    end,
  })
  counts.a = counts.a + 1
  assert(counts.a == 1 and rawget(counts, "b") == nil)
end
