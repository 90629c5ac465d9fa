--- The native half of the codec, which the host may have (`host/moonq/sandbox/native`).
---
--- Both functions answer nothing where they decline, and then the Lua halves do the work. What
--- stands here declines everything: `boot` puts the real ones in its place, where there are any.
---
---     decode(text, null, null_field, EMPTY, mark, main)  --> the value that the reader would make
---     encode(value, EMPTY, main)                         --> the text that the writer would make
---
--- `null` is what a null becomes, `null_field` what it becomes as the field of an object, `mark`
--- what `EMPTY` says of a list. `main` is the coroutine that the watchdog stops: they decline
--- while it has a hook, since nothing interrupts them.
return {
  decode = function() end,
  encode = function() end,
  main = nil,
}
