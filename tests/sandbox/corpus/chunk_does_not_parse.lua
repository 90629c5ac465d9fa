-- expect: harmless (fails): a file whose text is no Lua, by way of load
return assert(load("return function( end", "=broken"))
