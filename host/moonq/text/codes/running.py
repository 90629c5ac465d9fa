"""Codes of handlers that run, and of sessions at a host."""

from __future__ import annotations

from moonq.text.codes.code import SHOWN, Code

CODES = (
    Code(
        "H401",
        "A handler returned nothing, and the message was acked",
        "That is allowed. It is a line for debugging, of the logger `moonq.handlers` and once per"
        " function and process, because a `return` may have been forgotten: of `charge(order)` at"
        " the end of a handler the `nil, err` is lost, of `return charge(order)` it is a failure.",
        "Write `return true` where nothing more is to be said, and `return` in front of a call"
        " whose failure is the handler's own. `log.levels` shows the line, or hides it.",
        {
            "moonq.yaml": "log: {levels: {moonq.handlers: debug}}\n",
            SHOWN: """\
04:12:09.120 DEBUG moonq.handlers  app:process_order returned nothing, and the message was acked;
             `return true` silences this  entry=app:process_order code=H401
""",
        },
    ),
    Code(
        "H402",
        "A handler returned false, which does not say why",
        "The message is tried again as after any failure, but the log, `moonq dead ls` and tests"
        " only know that it failed. It is said once per function and process, by the logger"
        " `moonq.handlers`.",
        "Return `nil` and an error, which names what went wrong, of which kind it is, and whether"
        " another try can help.",
        {
            "process_order.lua": 'return nil, errors.new({ message = "bank is down",'
            " kind = errors.UNAVAILABLE })\n",
            SHOWN: """\
04:12:09.120 INFO  moonq.handlers  app:process_order returned false, which does not say why:
             `return nil, errors.new{…}`, and the reason stands in the log, in dead letters and in
             tests  entry=app:process_order code=H402
""",
        },
    ),
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
        "S601",
        "A policy does not let the script do that",
        "No policy of the script's actor allows it, or one denies it; the frame shows the line that"
        " asked, the help which policy nearly allows it, and where that is written.",
        "Add the action or the resource to that policy, or leave it out of the script; `moonq"
        " explain access ACTOR ACTION RESOURCE` shows every policy's part in the answer.",
        {
            SHOWN: """\
$ moonq call app:report '{"id":42}' --as-message
error[S601]: service:report may not queue.publish app:payments
   ┌─ report.lua:5
 5 │   queue.publish("app:payments", order)
   │   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no policy allows it
   = help: add app:payments to the resources of app:report_policy (_index.yaml:14)
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
