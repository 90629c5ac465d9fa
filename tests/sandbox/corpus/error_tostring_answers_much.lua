-- expect: harmless (fails): an error with a very long text
return function()
  error(setmetatable({}, {
    __tostring = function()
      return ("x"):rep(4000000)
    end,
  }))
end
