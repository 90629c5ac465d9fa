-- expect: contained-memory: a script that says it had no memory is taken at its word
return function()
  error("not enough memory", 0)
end
