-- expect: harmless: constants and varargs
return function(...)
  local limit <const> = 5
  local function count(...)
    return select("#", ...)
  end
  assert(count(nil, nil) == 2 and count(...) == 1 and limit == 5)
  assert(select(-1, 1, 2, 3) == 3)
  local packed = table.pack(table.unpack({ 1, nil, 3 }, 1, 3))
  assert(packed.n == 3 and packed[3] == 3)
end
