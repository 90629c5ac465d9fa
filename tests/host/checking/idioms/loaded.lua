-- A template: what it defines is not seen.
load("function greet(name) return 'hello ' .. name end")()

return greet("Ada")
