-- expect: contained-time: a closing that begins when the time is over
local endless = {
  __close = function()
    while true do
    end
  end,
}

return function()
  local a <close> = setmetatable({}, endless)
  local b <close> = setmetatable({}, endless)
  while a ~= b do
  end
end
