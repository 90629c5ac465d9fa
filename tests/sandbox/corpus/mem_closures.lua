-- expect: contained-memory: functions
return function()
  local t = {}
  while true do
    local n = #t
    t[n + 1] = function()
      return n
    end
  end
end
