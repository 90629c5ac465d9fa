-- Globals that come out of text, or stand in a table of their own.
local _ENV = setmetatable({ answer = 42 }, { __index = _G })

function double(x)
  return x * 2
end

return { made = double(answer), text = whatever.comes }
