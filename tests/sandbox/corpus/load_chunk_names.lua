-- expect: denied: a chunk cannot pass for one of the host's
return function()
  for _, name in ipairs({
    "=[moonq lua/boot.lua]",
    "@[moonq lua/boot.lua]",
    "==[moonq x]",
    "=?",
    "?",
    "@?",
    "",
    "=",
    "=[C]",
    ("n"):rep(100000),
    "\0",
  }) do
    local trace = load("return (debug.traceback())", name)()
    if not trace:find("in main chunk", 1, true) then
      error("reached a hidden frame as " .. name:sub(1, 20) .. trace)
    end
  end
  return nil, "denied"
end
