-- expect: contained-time: whatever is caught, the loop goes on
return function()
  local caught = 0
  local function spin()
    while true do
      caught = caught + 1
    end
  end
  for _ = 1, 1000000000 do
    local ok, problem = pcall(spin)
    if not ok then
      caught = tostring(problem) and caught
    end
  end
end
