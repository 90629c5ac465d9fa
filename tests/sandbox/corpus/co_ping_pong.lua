-- expect: contained-time: two coroutines hand each other the turn
return function()
  local function player()
    while true do
      coroutine.yield()
    end
  end
  local one, two = coroutine.wrap(player), coroutine.wrap(player)
  while true do
    one()
    two()
  end
end
