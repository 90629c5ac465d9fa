"""The console, `moonq repl`.

`attaching` finds a host or starts a private one; `desk` sends code to it and stops it again;
`chunk` knows whether a text is whole, `echo` what an answer looks like, `printer` how lines reach
the screen; `terminal` is the prompt with its keys, `completing` and `toolbar`; `batch` is the same
without a terminal. What begins with a backslash is in `commands`; what `?name` says comes from
`annotations`.
"""
