-- expect: harmless (fails): an error that cannot say what it is, is shown as what it is
return function()
  error(setmetatable({ code = 7 }, {
    __tostring = function()
      error("no text")
    end,
  }))
end
