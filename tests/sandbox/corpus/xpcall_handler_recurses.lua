-- expect: contained-time: handlers in handlers
local function handler(problem)
  while true do
    xpcall(error, handler, problem)
  end
end

return function()
  xpcall(error, handler, "x")
end
