"""Codes of handlers that run, and of sessions at a host."""

from __future__ import annotations

from moonq.text.codes.code import SHOWN, Code

CODES = (
    Code(
        "H403",
        "A function failed that was called by hand",
        "It raised, answered `nil, err`, or was stopped at a limit; the frame shows the line, the"
        " stack the way to it.",
        "Correct the function; `moonq call` shows the same without sending anything.",
        {
            SHOWN: """\
$ moonq call app:process_order '{"id":42}'
error[H403]: app:process_order failed: UNKNOWN
   ┌─ process_order.lua:2
 2 │   if order.total_cents < 0 then
   │   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ attempt to compare nil with number
"""
        },
    ),
    Code(
        "H406",
        "The file of a handler does not load",
        "What stands outside of its functions raised when the file was run: a consumer cannot"
        " start with it.",
        "Correct the line; do slow or doubtful work in the handler, not at the top of the file.",
        {
            SHOWN: """\
error[H406]: attempt to index a nil value (global 'config')
   ┌─ process_order.lua:1:15
 1 │ local limit = config.limit
   │               ^^^^^^
"""
        },
    ),
    Code(
        "S602",
        "The session may only look",
        "A host in production lets consoles and commands only look until they ask for more; the"
        " host logs who does.",
        "In the console type `\\write`; on the command line add `--yes`.",
        {
            SHOWN: "$ moonq pause orders\n"
            "moonq: shop is in production, where sessions are read-only: pause orders was not"
            " done [S602]\n"
        },
    ),
    Code(
        "S603",
        "Code takes messages away and does not say which queue",
        "Functions of `mq` that drop or move messages want the id of the queue once more, as"
        " `confirm`.",
        'Write it: `mq.purge("orders", { confirm = "app:orders" })`.',
        {
            SHOWN: '> mq.purge("app:orders")\n'
            "nil, purge would take 12 messages of app:orders [S603]; pass { confirm ="
            ' "app:orders" } if that is meant\n'
        },
    ),
    Code(
        "A801",
        "No host is running",
        "The command asks a running host, and none of the project's is, or none of the name that"
        " was given.",
        "Start one with `moonq run`, or use a private one: `moonq repl --local`.",
        {
            SHOWN: "$ moonq reload\n"
            "moonq: no moonq host is running for shop (looked for .moonq/run/host.sock) [A801]\n"
        },
    ),
    Code(
        "A802",
        "A host of that name is running already",
        "One project has at most one host of a name on a machine.",
        "Stop it with `moonq stop`, or give the new one a name: `moonq run --name blue`.",
        {SHOWN: "$ moonq run\nmoonq: a host of shop is running already (pid 4711) [A802]\n"},
    ),
    Code(
        "A803",
        "A host does not answer",
        "It is there, but busy, stopped by a debugger, or of another version.",
        "Try again; `moonq status` says how it is, and its log why.",
        {
            SHOWN: "$ moonq queues\nmoonq: pid 4711 is alive, but its socket did not answer for 2.0"
            " s [A803]\n"
        },
    ),
    Code(
        "A804",
        "Several hosts are running, and one is to be named",
        "What was asked is about one host, as `stop` and `reload` are.",
        "Name it with `--host NAME`, or mean all with `--all`.",
        {
            SHOWN: "$ moonq stop\n"
            "moonq: 2 hosts of shop are running: host (pid 4711), blue (pid 4720) [A804]\n"
        },
    ),
)
