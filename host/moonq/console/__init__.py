"""The console, `moonq repl`.

`core` is one person at one host, and `entering` what happens with a block that was typed: `chunk`
knows whether it is whole, `running` sends it to the host and stops it again, `echo` shows the
answer. `face` talks to the person on two streams; `terminal` is the face with a prompt, its `keys`,
`completing` and `toolbar`, and `live` what goes on beside it, line by line through `printer`. What
begins with a backslash is in `commands`; what `?name` says comes from `annotations`.
"""
