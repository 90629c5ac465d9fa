-- expect: harmless: sorting by anything
return function()
  local people = { { n = "c", a = 3 }, { n = "a", a = 1 }, { n = "b", a = 2 } }
  table.sort(people, function(x, y)
    return x.a > y.a
  end)
  assert(people[1].n == "c")
  local words = { "pear", "apple", "fig" }
  table.sort(words)
  assert(table.concat(words, " ") == "apple fig pear")
  local numbers = {}
  for index = 1, 20000 do
    numbers[index] = (index * 7919) % 20011
  end
  table.sort(numbers)
  for index = 2, #numbers do
    assert(numbers[index - 1] <= numbers[index])
  end
end
