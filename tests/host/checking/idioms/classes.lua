-- The class idioms of the books, and what libraries ask of the Lua they run in.
local unpack = table.unpack or unpack
local load = loadstring or load
local has_jit = type(jit) == "table" and jit.version
local bits = bit32
  or (function()
    return {
      band = function(a, b)
        return a & b
      end,
    }
  end)()

local Account = {}
Account.__index = Account

function Account.new(balance)
  return setmetatable({ balance = balance }, Account)
end

function Account:deposit(amount)
  self.balance = self.balance + amount
  return self
end

local Saver = setmetatable({}, {
  __index = Account,
  __call = function(class, ...)
    return class.new(...)
  end,
})
Saver.__index = Saver

if setfenv then
  setfenv(1, {})
end

local ok, clock = pcall(function()
  return socket.gettime() + ffi.C.clock()
end)

local function shown(...)
  local n <const> = select("#", ...)
  local parts = table.pack(...)
  for index = 1, n do
    parts[index] = tostring(parts[index])
  end
  goto done
  ::done::
  return table.concat(parts, " ", 1, n)
end

string.trim = string.trim or function(text)
  return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

counter = counter or 0
counter = counter + 1

function helper()
  return helper, counter
end

_G.registry_of_this_file = { Account }
registry_of_this_file[2] = Saver

local text = ("x"):rep(3) .. #"abc" // 2
repeat
  local over = text ~= nil
until over and helper()

return {
  Account = Account,
  [Saver] = has_jit,
  unpack = unpack,
  load = load,
  bits = bits.band(1, 3),
  trim = string.trim(" x "),
  clock = ok and clock,
  shown = shown(1, 2),
  many = math.max(unpack({ 1, 2 })),
}
