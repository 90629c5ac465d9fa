-- expect: harmless: an iterator of gmatch that is asked again after an error
return function()
  for _, pattern in ipairs({ ("(.-)"):rep(6) .. "b", ".-.-b", "%f", "[a", "(()" }) do
    local ok, iterator = pcall(string.gmatch, "aaa", pattern)
    if ok then
      for _ = 1, 5 do
        pcall(iterator)
      end
    end
  end
end
