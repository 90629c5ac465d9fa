-- expect: harmless: dates out of range and fields that run code
return function()
  pcall(os.time, { year = 1e15, month = 1, day = 1 })
  pcall(os.time, { year = math.maxinteger, month = math.maxinteger, day = math.maxinteger })
  local asked = 0
  local date = setmetatable({}, {
    __index = function()
      asked = asked + 1
      return 1
    end,
  })
  pcall(os.time, date)
  assert(asked > 0)
end
