"""Every verb: what a person, a script or another program may ask of a host.

    VERBS["peek"].command     # "peek": `moonq peek QUEUE`
    VERBS["peek"].typed       # "peek": `\\peek QUEUE [N]` in the console
    VERBS["peek"].lua         # "mq.peek": `mq.peek(queue, options?)` in the console's Lua

A row, a method of `Operations` with its name, and a view are all that a verb needs. The socket, the
console, `mq`, the command line, completion and the README's table are made from the rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from moonq.operations.verb import Argument, Confirm, Needs, Verb, Where

_QUEUE = Argument("queue", "the queue", source="queue", cli="QUEUE", typed="QUEUE", lua="queue")
_CONSUMER = Argument(
    "consumer",
    "whose rights and limits hold, where there are several",
    default="",
    source="consumer",
    cli="--consumer ID",
    typed="[--consumer ID]",
)
_TARGET = Argument(
    "target", "a queue or a consumer", source="target", cli="TARGET", typed="ID", lua="target"
)
_REDACT = Argument("redact", "whether to cover the fields that the project hides", "flag", True)
_ERROR = Argument(
    "error", "only those with this kind of error: a fingerprint of `dead ls`", default=None,
    cli="--error FP",
)  # fmt: skip
_IDS = Argument(
    "ids", "these messages only", "texts", None, source="message", cli="[ID]...",
    typed="[FINGERPRINT | ID…]",
)  # fmt: skip
_KEEP = Argument("keep", "keep no copy", "flag", True, cli="--no-backup")
_CONFIRM = Argument("confirm", "the full id of the queue; without it nothing happens", default=None)
_LIMIT = Argument(
    "limit", "at most so many, the oldest first", "integer", None, cli="--limit", least=1
)
_MOST = Argument("most", "at most so many in one request", "integer", None, least=1)
_SNAPSHOT = Argument("snapshot", "the snapshot that was shown", default=None)


def _older(since: str) -> Argument:
    return Argument("older", f"only those {since}", "duration", None, cli="--older DURATION")


def _given_queue() -> Argument:
    """The queue of a verb that may be given a snapshot instead."""
    return Argument(
        "queue", "the queue", default=None, source="queue", cli="QUEUE", typed="QUEUE", lua="queue"
    )


_ROWS = (
    Verb("status", "show which hosts are running", needs=Needs.LIVE, lua="mq.status",
        command="status", view="hosts", schema="moonq.status/1",
        examples=("moonq status --json", "moonq status --all"),
        more="Each host of this user is shown, or with -C those of one project: project, process,"
        " how long it is up, what it has done. Ends with 4 when none is running, and with 5 when"
        " one of the project (named, or in this folder) does not answer. With --all the drivers of"
        " the project say who shares them, on whichever machine, and how many messages each holds;"
        " one that vanished may be shown until its lease ends."),
    Verb("peers", "show which hosts share a driver, on whichever machine", typed="peers",
        lua="mq.peers", answer="drivers", view="peers", schema="moonq.peers/1"),
    Verb("queues", "show every queue: what waits, runs and died, and how fast it goes",
        typed="queues", lua="mq.queues", answer="queues", command="queues", view="queues",
        more="A number that the broker cannot give is a dot. Rates are those of the last minute at"
        " most. Behind a consumer stand its workers: 3/4 are three that are up, of a concurrency"
        " of 4."
        " Without a running host only queues with a durable driver can be seen.",
        examples=("moonq queues", "moonq queues --sort dead --json"), schema="moonq.queues/1"),
    Verb("consumers", "show every consumer with its state, workers and counts", needs=Needs.LIVE,
        lua="mq.consumers", answer="consumers"),
    Verb("entries", "list the entries of the project", (
            Argument("pattern", "only those whose id or name fits, such as app:*", default=None,
                cli="[PATTERN]", typed="[GLOB]", lua="pattern"),
            Argument("entry_kind", "only entries of this kind, such as queue.*", default=None,
                cli="--kind GLOB"),
            Argument("meta", "only entries with this note; repeatable", "pairs", None,
                cli="--meta NAME=VALUE"),
        ), needs=Needs.STATIC, typed="ls", lua="mq.entries", answer="entries", command="ls",
        view="entries", schema="moonq.ls/1",
        examples=("moonq ls", "moonq ls 'app:*' --kind queue.*"),
        more="They are those of the running host, or of the files where none runs. Ends with 4"
        " when a name without * ? [ is no entry's."),
    Verb("entry", "show one entry with all its fields", (
            Argument("name", "the entry", source="entry", cli="ENTRY", typed="ID", lua="id"),
        ), needs=Needs.STATIC, typed="show", lua="mq.entry", command="show", view="entry",
        more="Every field has its default filled in; behind what was written stand file and line,"
        " and the profile that it comes from. What the entry needs and who needs it stand below."
        " Durations are seconds. What may be a password is hidden.",
        examples=("moonq show app:orders", "moonq show app:orders --field retry.max_attempts"),
        schema="moonq.show/1"),
    Verb("graph", "show how entries hang together", (
            Argument("name", "what it needs and who needs it; without one, all", default=None,
                source="entry", cli="[ENTRY]", typed="[ID]", lua="id"),
            Argument("form", "how to draw it: for people, for Graphviz, for Mermaid",
                default="tree", cli="--format", choices=("tree", "dot", "mermaid"),
                for_view="form", is_local=True),
        ), needs=Needs.STATIC, typed="graph", lua="mq.graph", command="graph", view="graph",
        more="What an entry needs stands below it, with the field that says so. What its script"
        " publishes and calls is read from the Lua text: an id that is written in the call, or in a"
        " local or a field that is set once. Where it is only known when it runs, that is said.",
        examples=("moonq graph app:orders", "moonq graph --format dot | dot -Tsvg > shop.svg"),
        schema="moonq.graph/1"),
    Verb("access", "say who may do what, and which policy says so", (
            Argument("actor", "the actor's id, or the service that has none", cli="ACTOR",
                typed="ACTOR", lua="actor"),
            Argument("action", "what is done, by any of its spellings", cli="ACTION",
                typed="ACTION", lua="action"),
            Argument("resource", "with what: an id, or a bare name that only one entry has",
                source="entry", cli="RESOURCE", typed="RESOURCE", lua="resource"),
            Argument("meta", "what conditions find in `meta`; repeatable", "pairs", None,
                cli="--meta NAME=VALUE"),
            Argument("entry", "only as this service, where several act as ACTOR", default="",
                source="entry", cli="--entry ID"),
        ), needs=Needs.STATIC, typed="access", lua="mq.access", command="explain access",
        view="access", schema="moonq.access/1",
        more="The evaluation is shown policy by policy: whether actions and resources fit, and"
        " each condition. It is that of the running host, or of the files where none runs.",
        examples=("moonq explain access clerk queue.publish app:mail",
            "moonq explain access app:worker store.read seen --meta key=user:7 --json")),
    Verb("peek", "show the messages of a queue; none is consumed", (
            _QUEUE,
            Argument("limit", "how many", "integer", 10, cli="-n --limit", typed="[N]",
                least=1, most=1000),
            Argument("after", "begin there: the `next` of an answer, or a message's id",
                default=""),
            Argument("state", "only those in this state", default=None, cli="--state",
                choices=("ready", "delayed", "leased", "running")),
            Argument("tail", "the last ones", "flag", False),
            Argument("full", "show whole bodies", "flag", False, cli="--full", for_view="full"),
            _REDACT,
        ), typed="peek", lua="mq.peek", command="peek", view="messages", schema="moonq.peek/1",
        more="Fields that the project redacts stay hidden, except for --raw, which a read-only"
        " session may not ask for.",
        examples=("moonq peek app:orders -n 2", "moonq peek app:orders --id 01a2…d3e8f1 --json")),
    Verb("find", "find one message, wherever it lies", (
            Argument("message", "its id", source="message", typed="ID", lua="id"),
            Argument("queue", "look only there", default=None, source="queue", lua="queue"),
            _REDACT,
        ), typed="find", lua="mq.find", view="message"),
    Verb("dead_queues", "say which queues have dead letters, and how many", lua="mq.dead.all",
        answer="queues", view="dead_queues", schema="moonq.dead.all/1"),
    Verb("dead_letters", "show why messages died, by kind of error", (
            _QUEUE, _ERROR, _older("dead for so long"),
            Argument("limit", "newest ones to name", "integer", 20, cli="--limit", least=0,
                most=1000),
        ), lua="mq.dead.ls", command="dead ls", view="letters", schema="moonq.dead/1",
        examples=("moonq dead ls app:orders",
            "moonq dead ls app:orders --error a41 --limit 20 --json")),
    Verb("dead_letter", "show one dead letter: body, headers, every attempt and its error", (
            _QUEUE,
            Argument("message", "its id", source="message", cli="ID", lua="id"),
            _REDACT,
        ), lua="mq.dead.show", command="dead show", view="letter", schema="moonq.letter/1",
        examples=("moonq dead show app:orders 01a2…d3e8f1",)),
    Verb("snapshot", "count the messages that a purge, a retry or a drop would take", (
            _QUEUE,
            Argument("dead", "dead letters, not what waits", "flag", False),
            _IDS, _ERROR, _older("so old"), _LIMIT,
        )),
    Verb("publish", "publish JSON or a Lua literal", (
            _QUEUE,
            Argument("messages", "each {json | base64, headers?, options?}", "json"),
            Argument("dry_run", "only say what would be refused", "flag", False),
        ), changes="publish into {queue}", command="publish", view="published",
        schema="moonq.publish/1"),
    Verb("call", "run one function once and show what it did, sending nothing", (
            Argument("function", "the function", source="function", cli="FUNCTION",
                typed="FUNCTION", lua="id"),
            Argument("argument", "its argument; - reads it from stdin", "json", "", cli="[JSON]",
                typed="[BODY]", lua="argument"),
            Argument("as_message", "call it as a consumer does, with a message", "flag", False,
                cli="--as-message", typed="[--as-message]", for_view="as_message"),
            Argument("headers", "a header of that message; repeatable", "pairs", None,
                cli="-H --header NAME=VALUE"),
            Argument("send", "do all of it for real, and send what it publishes", "flag", False,
                cli="--send", is_guarded=True),
            Argument("stub", "a Lua file whose test.stub and test.module answer for the outside",
                default="", cli="--stub FILE"),
            Argument("stub_file", "the name of that file", default=""),
            Argument("real", "really do what reaches beyond the host", "flag", False,
                cli="--real", is_guarded=True),
            _CONSUMER,
            Argument("actor", "in whose name: an actor, or a service that has one", default="",
                cli="--as ACTOR", typed="[--as ACTOR]"),
            Argument("groups", "the groups that ACTOR has, who may then be anybody; repeatable",
                "texts", None, cli="--group GROUP"),
            Argument("trace", "show the lines that ran, how long each took and what it set", "flag",
                False, cli="--trace", typed="[--trace]"),
        ), changes="let {function} act for real", needs=Needs.ANY, typed="call", lua="mq.call",
        command="call", view="called", schema="moonq.call/2",
        more="No queue is involved; the running host does it, or a private one. What the function"
        " publishes is shown and not sent. Where it needs the answer of something outside, as of a"
        " Python module, the call ends there (`unknown after: would ...`), unless --stub answers or"
        " --real does it. It may do what its consumer may, within the same limits; with --as what"
        " ACTOR may: one of the project with the policies of its service, or with --group anybody"
        " with the policies of these groups. A host in production logs whom somebody acts for."
        " Ends with 1 when the function fails.",
        examples=("moonq call app:process_order '{\"id\":42,\"total_cents\":2500}' --as-message",
            "moonq call app:report --json", "moonq call app:report --as user:ada --group clerks")),
    Verb("replay", "run a dead letter with the present handler; settle and send nothing", (
            Argument("message", "its id, or the ends of it", source="message", typed="ID",
                lua="id"),
            Argument("queue", "the queue it died in", default=None, source="queue",
                typed="[QUEUE]", lua="queue"),
            _CONSUMER,
        ), typed="replay", lua="mq.replay", view="replayed"),
    Verb("pause", "let a queue or a consumer rest", (_TARGET,), changes="pause {target}",
        where=Where.EACH, confirm=Confirm.PRODUCTION, typed="pause", lua="mq.pause",
        command="pause", view="done",
        more="TARGET is a queue or a consumer. Publishing goes on. What is buffered goes back, what"
        " runs may finish.",
        examples=("moonq pause app:orders", "moonq pause app:orders.consumer"),
        schema="moonq.pause/1"),
    Verb("resume", "let a queue or a consumer go on", (_TARGET,), changes="resume {target}",
        where=Where.EACH, confirm=Confirm.PRODUCTION, typed="resume", lua="mq.resume",
        command="resume", view="done",
        more="TARGET is a queue or a consumer. It undoes `moonq pause`.",
        examples=("moonq resume app:orders", "moonq resume app:orders.consumer"),
        schema="moonq.resume/1"),
    Verb("scale", "let a consumer handle so many messages at once, until the next reload", (
            Argument("consumer", "the consumer", source="consumer", cli="CONSUMER",
                typed="CONSUMER", lua="consumer"),
            Argument("workers", "how many, 1 to 1000", "integer", cli="N", typed="N",
                lua="workers", least=1, most=1000),
        ), changes="scale {consumer} to {workers}", where=Where.EACH, confirm=Confirm.PRODUCTION,
        needs=Needs.LIVE, typed="scale", lua="mq.scale", command="scale", view="scaled",
        more="The running host works on with that `concurrency`; what runs may finish. `prefetch`"
        " grows with it where it would be too small. No file is touched: the next reload, or start,"
        " takes what the entry says. With several hosts each has workers of its own.",
        examples=("moonq scale app:orders.consumer 16",
            "moonq scale orders.consumer 2 --host second"),
        schema="moonq.scale/1"),
    Verb("start", "start a service that is not running", (
            Argument("target", "the service", source="entry", typed="ID", lua="target"),
        ), changes="start {target}", confirm=Confirm.PRODUCTION, needs=Needs.LIVE, typed="start",
        lua="mq.start", view="done"),
    Verb("retry", "give dead letters another life: all that are there now, or those named", (
            _CONFIRM, _SNAPSHOT, _given_queue(), _IDS, _ERROR, _older("dead for so long"), _LIMIT,
            Argument("to", "another queue than the one they came from", default=None,
                source="queue", cli="--to QUEUE"),
            _MOST,
        ), changes="retry dead letters of {queue}", confirm=Confirm.YES, takes="dead",
        typed="retry", lua="mq.dead.retry", command="dead retry", view="done",
        more="Their attempts begin anew, their ids stay. What dies meanwhile is not included.",
        examples=("moonq dead retry app:orders --error a41",
            "moonq dead retry app:orders --limit 10 --yes"),
        schema="moonq.retry/1"),
    Verb("drop", "drop dead letters for good: all that are there now, or those named", (
            _CONFIRM, _SNAPSHOT, _given_queue(), _IDS, _ERROR, _older("dead for so long"), _LIMIT,
            _KEEP, _MOST,
        ), changes="drop dead letters of {queue}", confirm=Confirm.NAME, takes="dead",
        typed="drop", lua="mq.dead.drop", command="dead drop", view="dropped",
        more="A copy is written to .moonq/trash first, from which they can be published again.",
        examples=("moonq dead drop app:orders --error 7f0",), schema="moonq.drop/1"),
    Verb("purge", "drop what waits in a queue, after a backup", (
            _CONFIRM, _SNAPSHOT, _given_queue(),
            Argument("ids", "these messages only", "texts", None, source="message"),
            _older("published so long ago"), _LIMIT, _KEEP, _MOST,
        ), changes="purge {queue}", confirm=Confirm.NAME, takes="waiting", typed="purge",
        lua="mq.purge", command="purge", view="dropped", shown_as=(("verb", "purged"),),
        schema="moonq.purge/1",
        more="The ready and delayed messages are counted first, and what arrives later stays. A"
        " copy is written to .moonq/trash, and the last line says how to publish them again. What"
        " runs is not touched, nor are dead letters.",
        examples=("moonq purge app:orders", "moonq purge app:orders --older 1d --yes")),
    Verb("move", "bring the messages of one queue into another one", (
            Argument("source", "the queue they lie in, declared or not", source="holder",
                cli="OLD", typed="OLD", lua="source"),
            Argument("target", "the queue they go to", source="queue", cli="NEW", typed="NEW",
                lua="target"),
            Argument("driver", "the driver where OLD lies, if it is declared elsewhere",
                default=None, cli="--driver ID"),
            Argument("drop", "leave this of each message behind; repeatable",
                "texts", None, cli="--drop FIELD"),
            Argument("dry_run", "only count them, and say what they would lose", "flag", False,
                cli="--dry-run"),
            _MOST,
        ), changes="move the messages of {source} to {target}", confirm=Confirm.YES,
        is_rehearsed=True, typed="move", lua="mq.move", command="move", view="moved",
        schema="moonq.move/1",
        more="OLD may be a queue that nobody declares any more: `moonq queues` names those that"
        " hold messages. What is ready or delayed moves with its id, headers, attempts, errors,"
        " priority, group and what is left of its delay and ttl, and the dead letters of OLD go to"
        " those of NEW; what runs stays. What the driver of NEW cannot keep is said before anything"
        " moves: --drop accepts that, of priority, group, dedup_key, delay, ttl, attempts, errors."
        " Each message is stored in NEW before it leaves OLD, so a move that is killed leaves some"
        " in both and none in neither; it is simply run again, and where NEW knows keys nothing is"
        " there twice that came within its dedup_window. Ends with 1 when NEW refused any. Between"
        " two drivers OLD delivers nothing meanwhile, unless its driver shows no message without"
        " consuming it: there the move consumes OLD, what is delayed leaves when it is due, and"
        " consumers of OLD should be stopped."
        " What goes to a queue in memory ends with the host, as all there."
        " Nothing is lost, so there is no backup: where OLD is declared, `moonq move NEW OLD`"
        " brings back all that waits in NEW.",
        examples=("moonq move app:old app:orders --dry-run",
            "moonq move app:orders app:orders --driver app:old_file --yes",
            "moonq move app:orders app:sales --drop priority --yes")),
    Verb("reload", "replace what has changed in the running host", (
            Argument("ids", "only these entries", "texts", None, source="entry",
                cli="[ENTRY]...", typed="[ID…]", lua="ids"),
        ), changes="reload the project",
        where=Where.ONE, confirm=Confirm.PRODUCTION, needs=Needs.LIVE, typed="reload",
        lua="mq.reload", command="reload", view="reloaded", schema="moonq.reload/1",
        examples=("moonq reload", "moonq reload app:process_order", "moonq reload --all"),
        more="All of it is checked first: a faulty edit changes nothing, is shown, and ends with 3."
        " Messages stay in their queues, and those that run finish on the old code. Where entries"
        " are named only they become as their files say, even if others have changed as well;"
        " an edit that needs another one too changes nothing and says which."),
    Verb("stop", "end the running host", (
            Argument("now", "do not wait for handlers: hand their messages back", "flag", False,
                cli="--now", typed="[now]"),
        ), changes="stop the host", where=Where.ONE, confirm=Confirm.PRODUCTION, needs=Needs.LIVE,
        typed="stop", command="stop", view="stopping", schema="moonq.stop/1",
        examples=("moonq stop", "moonq stop --host second", "moonq stop --all"),
        more="It ends as with Ctrl-C in its terminal, and the command waits until it has gone."
        " Running handlers may finish. Ends with 8 when it has not gone in time."),
)  # fmt: skip

VERBS: Mapping[str, Verb] = {verb.name: verb for verb in _ROWS}
