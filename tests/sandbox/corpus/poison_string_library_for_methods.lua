-- expect: denied: methods of strings are not the script's string table
local library = _G["string"]
library["MARKER"] = print
library["rep"] = print

return function()
  if ("").MARKER or ("x"):rep(2) ~= "xx" then
    error("reached the methods of strings")
  end
  return nil, "denied"
end
