-- expect: contained-time: a generic for that never ends
return function()
  for _ in rawlen, "x" do
  end
end
