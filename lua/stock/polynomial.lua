--- Polynomials with coefficients of zero and more: `{ 5, 0, 2 }` is 5 + 2n².
local max, min = math.max, math.min

local polynomial = {}

--- Keeps sums and products of huge coefficients finite.
local MOST = 1e300

--- a + bn
---@param a number
---@param b? number
---@return number[]
function polynomial.of(a, b)
  return b and { a, b } or { a }
end

---@param first number[]
---@param second number[]
---@return number[]
function polynomial.add(first, second)
  local total = {}
  for power = 1, max(#first, #second) do
    total[power] = min(MOST, (first[power] or 0) + (second[power] or 0))
  end
  return total
end

--- At least p(0) + p(1) + … + p(n).
---@param terms number[]
---@return number[]
function polynomial.sum(terms)
  local total = { 0 }
  for power = 1, #terms do
    total[power] = total[power] + terms[power]
    total[power + 1] = terms[power] / power
  end
  return total
end

---@param terms number[]
---@param n integer
---@return number
function polynomial.at(terms, n)
  local value = 0
  for power = #terms, 1, -1 do
    value = min(MOST, value * n + terms[power])
  end
  return value
end

--- The largest n up to `limit` with p(n) <= bound, or -1.
---@param terms number[]
---@param bound number
---@param limit integer
---@return integer
function polynomial.largest(terms, bound, limit)
  local low, high = -1, limit
  while low < high do
    local middle = (low + high + 1) // 2
    if polynomial.at(terms, middle) <= bound then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

return polynomial
