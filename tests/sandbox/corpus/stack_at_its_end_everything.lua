-- expect: harmless: every function of the libraries, called where no stack is left
local libraries = { string, table, math, utf8, coroutine, os, require("json"), require("check") }

local function each(call)
  for _, library in ipairs(libraries) do
    for _, f in pairs(library) do
      call(f)
    end
  end
end

local meta = {}
function meta.__index(t, n)
  if n > 0 then
    pcall(each, function(f)
      if type(f) == "function" then
        pcall(f, "x", t, n)
      end
    end)
  end
  return t[n + 1]
end

return function()
  pcall(function()
    return setmetatable({}, meta)[-185]
  end)
end
