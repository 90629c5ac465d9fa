-- expect: harmless (copies: misses): classes as in the book, completed after their use
local Account = { balance = 0 }

function Account:new(o)
  setmetatable(o, self)
  self.__index = self
  return o
end

function Account:deposit(amount)
  self.balance = self.balance + amount
end

local early = Account:new({})
local Special = Account:new({})

function Special:twice()
  return self.balance * 2
end

return function(body)
  local late, special = Account:new({}), Special:new({ balance = 4 })
  late:deposit(3)
  early:deposit(2)
  assert(late.balance == 3 and early.balance == 2 * body and special:twice() == 8)
  function Account.__add(a, b)
    return a.balance + b.balance
  end
  assert(late + late == 6)
  Account.__add = nil
  assert(not pcall(function()
    return late + late
  end))
  local log = {}
  Account.__newindex = function(_, key)
    log[#log + 1] = key
  end
  late.fresh = 1
  Account.__newindex = nil
  assert(log[1] == "fresh" and rawget(late, "fresh") == nil)
end
