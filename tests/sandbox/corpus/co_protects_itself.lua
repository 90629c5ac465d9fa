-- expect: contained-time: a coroutine's pcall of itself at the limit of the C stack
local function f()
  while true do
    pcall(f)
  end
end

return function()
  coroutine.wrap(f)()
end
