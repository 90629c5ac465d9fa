-- expect: harmless (fails): an error whose text is no text
return function()
  error(setmetatable({}, {
    __tostring = function()
      return {}
    end,
  }))
end
