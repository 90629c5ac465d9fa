"""Commands that change something on the host; what destroys is counted, shown, and asked about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from moonq import views
from moonq.console.commands.table import command, words
from moonq.errors import Invalid, NotFound, ProjectInvalid
from moonq.text.wording import plural

if TYPE_CHECKING:
    from moonq.console.core import Console

#: Messages that may be dropped on a plain yes; beyond that the queue's name is to be typed.
FEW = 10


@command(
    "call",
    "call FUNCTION [BODY]",
    "runs a function once; what it publishes is shown, not sent",
    lua="mq.call(id, body, { as_message = true })",
    takes="function",
)
def call(console: Console, rest: str) -> None:
    """Run a function with a message made of a JSON text or a Lua literal."""
    function, _, body = rest.partition(" ")
    if not function:
        raise Invalid("no function was named", hint="write \\call FUNCTION [BODY]")
    answer = console.request(
        "call", function=function, argument=_json(console, body.strip()), as_message=bool(body)
    )
    console.face.show(views.called(answer, console.face.screen(), as_message=bool(body)))


def _json(console: Console, text: str) -> str:
    """Return *text*, a value in Lua or in JSON, as JSON."""
    import json

    try:
        json.loads(text or "null")
        return text
    except ValueError:
        pass
    found = console.run(f'require("json").encode({text}\n)')
    if not found.is_well or not found.values or not isinstance(found.values[0], str):
        raise Invalid(f"{text[:60]!r} is neither JSON nor a Lua literal")
    return found.values[0]


@command(
    "replay",
    "replay ID [QUEUE]",
    "runs a dead letter with the present handler; settles and sends nothing",
    lua="mq.replay(id)",
)
def replay(console: Console, rest: str) -> None:
    """Run a dead letter again without touching it."""
    found = words(rest, "replay ID [QUEUE]", 1, 2)
    fields = {"queue": found[1]} if len(found) > 1 else {}
    answer = console.request("replay", message=found[0], **fields)
    screen = console.face.screen()
    head = f"{answer['id']} with {answer['function']}; it stays where it is"
    console.face.show([screen.paint("dim", head), *views.called(answer, screen, as_message=True)])


@command("pause", "pause ID", "holds a queue or a consumer", lua="mq.pause(id)", takes="entry")
def pause(console: Console, rest: str) -> None:
    """Pause a queue or a consumer."""
    _operate(console, "pause", rest)


@command("resume", "resume ID", "undoes \\pause", lua="mq.resume(id)", takes="entry")
def resume(console: Console, rest: str) -> None:
    """Resume a queue or a consumer."""
    _operate(console, "resume", rest)


@command("start", "start ID", "starts a consumer", lua="mq.start(id)", takes="entry")
def start(console: Console, rest: str) -> None:
    """Start a service that is not running."""
    _operate(console, "start", rest)


def _operate(console: Console, kind: str, rest: str) -> None:
    target = words(rest, f"{kind} ID", 1)[0]
    if console.face.confirms(f"{kind} {target} on {_where(console)}?"):
        answer = console.request(kind, target=target)
        console.face.show(views.done(answer, console.face.screen()))
    else:
        console.face.notice("nothing was done")


@command("reload", "reload", "reads the project again", lua="mq.reload()")
def reload(console: Console, rest: str) -> None:
    """Reload the project; a broken edit changes nothing and is shown."""
    words(rest, "reload", most=0)
    screen = console.face.screen()
    try:
        answer = console.request("reload")
    except ProjectInvalid as invalid:
        drawn = screen.findings(invalid.findings)
        console.face.fail([*drawn, "", *views.problem(invalid, screen)])
        return
    console.face.show(views.reloaded(answer, screen))


@command(
    "retry",
    "retry QUEUE [FINGERPRINT | ID…]",
    "gives dead letters another life",
    lua="mq.dead.retry(queue, { error = fp, confirm = queue })",
    takes="queue",
)
def retry(console: Console, rest: str) -> None:
    """Put dead letters back, after showing how many."""
    chosen = _letters(console, "retry QUEUE [FINGERPRINT | ID…]", rest)
    if not chosen["count"]:
        console.face.show([f"no dead letters of {chosen['queue']}"])
        return
    console.face.notice(
        f"retry {plural(chosen['count'], 'message')} (snapshot taken {_clock(chosen['taken'])}; "
        "later arrivals are not included)\n"
        f"  back to {chosen['queue']}, attempts reset, history kept"
    )
    if not console.face.confirms("  proceed?"):
        console.face.notice("nothing was done")
        return
    answer = console.request("retry", snapshot=chosen["snapshot"], confirm=chosen["queue"])
    console.face.show(views.done(answer, console.face.screen()))


@command(
    "drop",
    "drop QUEUE [FINGERPRINT | ID…]",
    "drops dead letters, after a backup",
    lua="mq.dead.drop(queue, { ids = ids, confirm = queue })",
    takes="queue",
)
def drop(console: Console, rest: str) -> None:
    """Drop dead letters."""
    _destroy(console, "drop", _letters(console, "drop QUEUE [FINGERPRINT | ID…]", rest))


@command(
    "purge",
    "purge QUEUE",
    "drops what waits in a queue, after a backup",
    lua="mq.purge(queue, { confirm = queue })",
    takes="queue",
)
def purge(console: Console, rest: str) -> None:
    """Drop what is ready or delayed in a queue."""
    queue = words(rest, "purge QUEUE", 1)[0]
    _destroy(console, "purge", console.request("snapshot", queue=queue))


def _destroy(console: Console, action: str, chosen: dict[str, Any]) -> None:
    queue, count = chosen["queue"], chosen["count"]
    if not count:
        console.face.show([f"nothing to {action} in {chosen['from']}"])
        return
    console.face.notice(
        f"{action} {plural(count, 'message')} from {chosen['from']} on {_where(console)} "
        f"({chosen['driver']} driver; snapshot taken {_clock(chosen['taken'])})"
    )
    if not _is_sure(console, queue, count):
        console.face.notice("nothing was done")
        return
    answer = console.request(action, snapshot=chosen["snapshot"], confirm=queue)
    done = {"purge": "purged", "drop": "dropped"}[action]
    told = {**answer, "queue": chosen["from"]}
    console.face.show(views.dropped(told, console.face.screen(), verb=done))


def _is_sure(console: Console, queue: str, count: int) -> bool:
    if count <= FEW and not console.is_production:
        return console.face.confirms("  proceed?")
    return console.face.asks("type the queue name to confirm:") in (queue, queue.partition(":")[2])


def _letters(console: Console, usage: str, rest: str) -> dict[str, Any]:
    """Take a snapshot of the dead letters that are meant: all, some ids, or a kind of error."""
    found = words(rest, usage, 1, 100)
    fields: dict[str, Any] = {"queue": found[0], "dead": True}
    if len(found) > 1:
        names = _full_ids(console, found[0], found[1:])
        fields |= {"ids": names} if names else {"error": found[1]}
    answer: dict[str, Any] = console.request("snapshot", **fields)
    return answer


def _full_ids(console: Console, queue: str, names: list[str]) -> list[str]:
    """Return the ids that are meant; none when it is one word that names no letter."""
    try:
        return [console.request("dead_letter", queue=queue, message=name)["id"] for name in names]
    except NotFound:
        if len(names) > 1:
            raise
        return []


@command("stop", "stop [now]", "ends the host itself")
def stop(console: Console, rest: str) -> None:
    """Stop the host, after asking."""
    now = words(rest, "stop [now]") == ["now"]
    how = "stop it now and hand running messages back" if now else "stop it"
    if not console.face.confirms(f"{how}: the host of {_where(console)}, for everybody?"):
        console.face.notice("nothing was done")
        return
    console.request("stop", now=now)
    console.face.notice("the host is stopping")


@command("write", "write", "asks for the right to change things; the host logs it")
def write(console: Console, rest: str) -> None:
    """Leave read-only mode."""
    words(rest, "write", most=0)
    if not console.client.read_only:
        console.face.notice("this session may change things already")
    elif console.face.confirms(f"change things on {_where(console)}? The host logs it."):
        console.client.write()
        console.face.notice("this session may change things now")


@command("readonly", "readonly", "gives the right to change things back")
def readonly(console: Console, rest: str) -> None:
    """Enter read-only mode."""
    words(rest, "readonly", most=0)
    console.client.give_up_write()
    console.face.notice("this session may only look")


def _where(console: Console) -> str:
    hello = console.client.hello
    return f"{hello.get('project')} ({hello.get('profile')})"


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))
