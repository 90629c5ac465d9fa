--- Runs the text that it is given, with the modules of its entry and the arguments behind it.
return function(code, ...)
  return assert(load(code, "=does"))(...)
end
