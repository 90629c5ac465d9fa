-- expect: contained-memory: each points to the one before
return function()
  local head
  while true do
    head = { head, {}, {} }
  end
end
