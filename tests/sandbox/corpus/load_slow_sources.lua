-- expect: contained-time: parsing over and over ends with the time
return function()
  local source = "local t = {" .. ("{1,2,'x'},"):rep(4000) .. "}"
  while true do
    assert(load(source))
  end
end
