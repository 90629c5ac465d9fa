-- expect: contained-time: a numeric for
return function()
  for _ = math.mininteger, math.maxinteger do
  end
end
