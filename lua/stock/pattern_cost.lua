--- The cost of matching a pattern's items in C, as an upper bound.
---
--- From the last item to the first, each item turns what is known of the items behind it (a
--- `Rest`) into what is known of itself and them. A repetition tries what follows at every place
--- that it can end, unless only one of those places can do: the characters it takes and those that
--- may follow have nothing in common (`%a+%s`), or what follows cannot fail (`%a+`).
local polynomial = require("host.stock.polynomial")

local byte, find, gmatch, gsub, match =
  string.byte, string.find, string.gmatch, string.gsub, string.match
local char, concat, floor, max, sub = string.char, table.concat, math.floor, math.max, string.sub
local next = next
local add, of, sum = polynomial.add, polynomial.of, polynomial.sum

local cost = {}

---@class pattern.Rest
---@field any number[]         nanoseconds of one attempt, however it ends
---@field fail number[]        nanoseconds of one that fails
---@field sure boolean         it cannot fail
---@field sure_at_end boolean  it cannot fail at the end of the subject
---@field may_end boolean      it can match at the end of the subject
---@field first string[]       classes, one of which takes the next character
---@field reach number         nanoseconds to find out that none of them does
---@field lean boolean         a success costs no more than the characters it takes

-- Measured against lstrlib.c with a margin of about two.
local CHARACTER, CLASS, SET_MEMBER, CALL, START = 3, 4, 2, 12, 60

local SET = 91
local LONGEST = 1 << 26
local NOTHING = of(0)

local function every_character()
  local list = {}
  for code = 0, 255 do
    list[#list + 1] = char(code)
  end
  return concat(list)
end

local ALL = every_character()

local function weight(class)
  if byte(class) == SET then
    return CLASS + SET_MEMBER * (#class - 2)
  end
  return find(class, "^%w") and CHARACTER or CLASS
end

--- A class of one character as that character, or nil.
local function single(class)
  if #class == 1 and class ~= "." then
    return class
  end
  return match(class, "^%%(%W)$")
end

local known, known_count = {}, 0

--- Every character that a class takes.
local function members(class)
  local list = known[class]
  if list then
    return list
  end
  list = {}
  for first in gmatch(ALL, class) do
    list[#list + 1] = first
  end
  list = concat(list)
  if known_count >= 200 then
    known, known_count = {}, 0
  end
  known[class], known_count = list, known_count + 1
  return list
end

local function takes_all(class)
  return class == "." or byte(class) == SET and #members(class) == 256
end

local function overlap(class, other)
  local one = single(other)
  if one then
    return find(one, class)
  end
  return find(single(class) or members(class), other)
end

--- Whether a character of `class` can begin what follows.
---@param class string
---@param rest pattern.Rest
---@return boolean
function cost.overlaps(class, rest)
  for i = 1, #rest.first do
    if overlap(class, rest.first[i]) then
      return true
    end
  end
  return false
end

--- What is known of `rest` with an item in front that takes nothing, or need not.
local function with(rest, changes)
  for key, value in next, rest do
    if changes[key] == nil then
      changes[key] = value
    end
  end
  return changes
end

--- An item that must take a character of `class`.
local function taking(class, rest, changes)
  changes.sure, changes.sure_at_end, changes.may_end = false, false, false
  changes.first = { class }
  changes.reach = weight(class)
  return with(rest, changes)
end

--- An item that may take nothing.
local function skipping(class, rest, changes)
  changes.first = { class }
  for i = 1, #rest.first do
    if rest.first[i] ~= class then
      changes.first[#changes.first + 1] = rest.first[i]
    end
  end
  changes.reach = weight(class) + CALL + rest.reach
  return with(rest, changes)
end

local function once(class, rest)
  local own = of(weight(class))
  return taking(class, rest, { any = add(own, rest.any), fail = add(own, rest.fail) })
end

--- The part that `*`, `+` and `-` share: what it costs to try the rest at every place.
local function tries(class, rest)
  local pass = of(CALL, weight(class))
  if not cost.overlaps(class, rest) then
    return add(pass, of(0, CALL + rest.reach)), rest.fail, rest.lean
  end
  local failures = sum(add(of(CALL), rest.fail))
  return add(pass, failures), NOTHING, false
end

local function greedy(class, rest)
  local sure = rest.sure or (rest.sure_at_end and takes_all(class))
  if sure then
    local any = add(of(CALL, weight(class)), rest.any)
    return skipping(class, rest, { any = any, fail = NOTHING, sure = true })
  end
  local own, last, lean = tries(class, rest)
  return skipping(class, rest, { any = add(own, rest.any), fail = add(own, last), lean = lean })
end

local function greedy_once(class, rest)
  local many = greedy(class, rest)
  local own = of(weight(class))
  return taking(class, rest, {
    any = add(own, many.any),
    fail = add(own, many.fail),
    lean = many.lean,
  })
end

local function lazy(class, rest)
  if rest.sure then
    return skipping(class, rest, { any = add(of(CALL), rest.any) })
  end
  local own, last, lean = tries(class, rest)
  local sure = rest.sure_at_end and takes_all(class)
  return skipping(class, rest, {
    any = add(own, rest.any),
    fail = sure and NOTHING or add(own, last),
    sure = sure,
    lean = lean or (rest.lean and #rest.fail == 1),
  })
end

local function optional(class, rest)
  local own = of(weight(class) + CALL)
  if rest.sure then
    return skipping(class, rest, { any = add(own, rest.any) })
  elseif not cost.overlaps(class, rest) then
    own = add(own, of(rest.reach))
    return skipping(class, rest, { any = add(own, rest.any), fail = add(own, rest.fail) })
  end
  return skipping(class, rest, {
    any = add(own, add(rest.fail, rest.any)),
    fail = add(own, add(rest.fail, rest.fail)),
    lean = rest.lean and #rest.fail == 1,
  })
end

local TIMES = { ["*"] = greedy, ["+"] = greedy_once, ["-"] = lazy, ["?"] = optional }

local KIND = {}

function KIND.set(item, rest)
  return (TIMES[item.times] or once)(item.class, rest)
end

function KIND.frontier(item, rest)
  local own = of(2 * weight(item.class))
  return with(rest, {
    any = add(own, rest.any),
    fail = add(own, rest.fail),
    sure = false,
    sure_at_end = false,
    first = { item.class },
    reach = own[1],
  })
end

function KIND.balance(item, rest)
  local own = of(CALL, CHARACTER)
  local opening = gsub(sub(item.text, 3, 3), "%W", "%%%0")
  return taking(opening, rest, { any = add(own, rest.any), fail = add(own, rest.fail) })
end

--- What was captured may be long, or empty.
function KIND.back(_, rest)
  local own = of(CALL, 0.2)
  return with(rest, {
    any = add(own, rest.any),
    fail = add(own, rest.fail),
    sure = false,
    sure_at_end = false,
    first = { "." },
    reach = CALL,
  })
end

local function capture(_, rest)
  local own = of(CALL)
  return with(rest, {
    any = add(own, rest.any),
    fail = rest.sure and NOTHING or add(own, rest.fail),
    reach = CALL + rest.reach,
  })
end

KIND.open, KIND.close, KIND.position = capture, capture, capture

function KIND.finish(_, rest)
  return with(rest, { any = of(1), fail = of(1), sure = false, first = {}, reach = 1 })
end

--- What follows each item; `[0]` is the whole pattern.
---@param items pattern.Item[]
---@return table<integer, pattern.Rest>
function cost.rests(items)
  local rest = {
    any = of(CALL),
    fail = NOTHING,
    sure = true,
    sure_at_end = true,
    may_end = true,
    first = {},
    reach = 0,
    lean = true,
  }
  local rests = { [#items] = rest }
  for i = #items, 1, -1 do
    rest = KIND[items[i].kind](items[i], rest)
    rests[i - 1] = rest
  end
  return rests
end

--- The cost of trying a pattern at every place of a subject, as gsub does.
---@param start pattern.Rest
---@return number[]
function cost.every_start(start)
  local misses = sum(add(of(START), start.fail))
  if start.lean then
    return add(misses, add(start.any, of(0, start.any[1])))
  end
  return add(misses, sum(start.any))
end

--- The longest subject whose cost is within a budget, or -1.
---@param terms number[]
---@param budget number  nanoseconds
---@return integer
function cost.longest(terms, budget)
  return polynomial.largest(terms, budget, LONGEST)
end

--- The longest subject in which a text of so many bytes can be looked for within a budget.
---@param bytes integer
---@param budget number  nanoseconds
---@return integer
function cost.longest_text(bytes, budget)
  return floor(budget / (START + CHARACTER * bytes))
end

--- The longest subject over which one class or another can be looked for within a budget.
---@param items pattern.Item[]
---@param budget number  nanoseconds
---@return integer
function cost.longest_pass(items, budget)
  local heaviest = CLASS
  for i = 1, #items do
    heaviest = max(heaviest, items[i].class and weight(items[i].class) or 0)
  end
  return floor(budget / (2 * heaviest + CALL))
end

--- One class that takes the first character of every match of `rest`, if there is a light one.
---@param rest pattern.Rest
---@return string?
function cost.jump(rest)
  if rest.sure or #rest.first == 0 then
    return nil
  end
  if #rest.first == 1 then
    return rest.first[1] ~= "." and rest.first[1] or nil
  end
  for i = 1, #rest.first do
    if find(rest.first[i], "^[%[.]") then
      return nil
    end
  end
  return "[" .. concat(rest.first) .. "]"
end

return cost
