-- expect: harmless (fails): a function of the library as the handler itself
return string.rep
