-- expect: harmless: goto, integer division, bits, floats
return function()
  local odd = {}
  for n = 1, 10 do
    if n % 2 == 0 then
      goto continue
    end
    odd[#odd + 1] = n
    ::continue::
  end
  assert(#odd == 5 and 7 // 2 == 3 and -7 // 2 == -4 and 7 % -3 == -2)
  assert(1 << 62 == 4611686018427387904 and 5 ~ 3 == 6 and ~0 == -1)
  assert(math.maxinteger + 1 == math.mininteger and math.type(1.0) == "float")
  assert(tostring(3) == "3" and tostring(3.0) == "3.0" and 10 // 0.0 == math.huge)
end
