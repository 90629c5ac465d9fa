-- expect: contained-time: coroutines in coroutines until there is no more stack
local function nest()
  while true do
    local co = coroutine.create(nest)
    coroutine.resume(co)
  end
end

return nest
