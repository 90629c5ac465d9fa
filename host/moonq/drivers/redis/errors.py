"""What a server or the way to it says, as errors of ours: the cause, and what to do.

A server begins what it refuses with a word (`NOPERM`, `LOADING`). From inside a script an older
one puts the word into the middle of a longer text.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

from moonq.drivers.redis.settings import Address
from moonq.errors import (
    Conflict,
    QueueError,
    QueueFull,
    Refused,
    Unavailable,
    Unopened,
    Unsupported,
)


class _Told(NamedTuple):
    """What a word of the server means; `{where}` and `{text}` are filled in."""

    error: type[QueueError]
    says: str
    hint: str = ""


_PASSWORD = "put user and password into `url`: redis://USER:PASSWORD@HOST"  # noqa: S105
_WORDS = {
    "LOADING": _Told(
        Unavailable,
        "{where} is still loading its data",
        "wait: it answers when all of it is in memory",
    ),
    "READONLY": _Told(
        Unavailable,
        "{where} is a replica and takes no writes: a failover is under way, or it is not the"
        " server that was meant",
        "name the master in `url`, or the sentinels in `sentinel`",
    ),
    "MASTERDOWN": _Told(
        Unavailable,
        "{where} is a replica that has lost its master",
        "wait for the failover, or start the master",
    ),
    "NOREPLICAS": _Told(
        Unavailable,
        "{where} takes no writes while too few replicas are connected",
        "start its replicas, or lower min-replicas-to-write",
    ),
    "MISCONF": _Told(
        Unavailable,
        "{where} cannot write to its disk and takes nothing: {text}",
        "see its log, and make room on its disk",
    ),
    "BUSY": _Told(
        Unavailable,
        "{where} is busy with a script that does not end",
        "wait, or end it: redis-cli SCRIPT KILL",
    ),
    "OOM": _Told(
        QueueFull,
        "{where} has no memory left for messages: it is at its maxmemory",
        "publish again when consumers have caught up, or raise maxmemory",
    ),
    "NOAUTH": _Told(Refused, "{where} wants a password", _PASSWORD),
    "WRONGPASS": _Told(
        Refused,
        "{where} does not accept this user and password, or has disabled the user",
        "correct them in `url`; ACL LIST at the server shows its users",
    ),
    "DENIED": _Told(
        Refused,
        "{where} takes connections from its own machine only: it is in protected mode",
        "set a password there, or `protected-mode no` in a network of your own",
    ),
    "CLUSTERDOWN": _Told(
        Unavailable,
        "{where} is down: {text}",
        "wait for its failover, or see what CLUSTER INFO says",
    ),
    "TRYAGAIN": _Told(Unavailable, "{where} is moving our keys to another node"),
    "ASK": _Told(Unavailable, "{where} is moving our keys to another node"),
    "MOVED": _Told(
        Unavailable,
        "{where} has moved our keys to another node",
        "set `cluster: true` if it is not set",
    ),
    "CROSSSLOT": _Told(
        Unsupported,
        "{where} keeps these keys on different nodes",
        "set `cluster: true` if it is not set",
    ),
    "WRONGTYPE": _Told(
        Conflict,
        "{where} holds another program's data under our keys",
        "give the driver a `prefix` of its own",
    ),
}
_PHRASES = {
    "max number of clients reached": _Told(
        Unavailable, "{where} has as many clients as it takes", "raise its maxclients"
    ),
    "DB index is out of range": _Told(
        Unopened,
        "{where}: the server has no such database",
        "name one that it has, usually 0 to 15",
    ),
    "SELECT is not allowed in cluster mode": _Told(
        Unopened, "{where}: a cluster has database 0 only", "end `url` with /0"
    ),
    "cluster support disabled": _Told(
        Unopened, "{where} is no node of a cluster", "leave out `cluster: true`"
    ),
    "SENTINEL": _Told(
        Unopened, "{where} is no sentinel", "look at host and port: sentinels have 26379"
    ),
    "unknown command": _Told(
        Unsupported,
        "{where} lacks a command that moonq needs: {text}",
        "use Redis 6.2 or later, or Valkey, with all its commands under their own names",
    ),
    "NOPROTO": _Told(
        Unsupported, "{where} is older than Redis 6.2", "use Redis 6.2 or later, or Valkey"
    ),
    "invalid password": _Told(Refused, "{where} does not accept this password", _PASSWORD),
    "without any password configured": _Told(
        Refused, "{where} has no password, and was given one", "leave it out of `url`"
    ),
}
_WORD = re.compile(rf"(?:^|-)({'|'.join([*_WORDS, 'NOPERM'])})\b ?(.*)", re.DOTALL)
_BEHIND = re.compile(r" script: |,? with args beginning with:")
_COMMAND = re.compile(r"'([^']+)'")
#: What OpenSSL says to a server that answers in plain text.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")


def told(error: Exception, where: str, *, entering: Address | None = None) -> QueueError:
    """Return what *error* of redis-py means at the server *where*, in words without secrets.

    *entering* says that the connection was being made, and how: silence may then be about TLS.
    `NOSCRIPT` is none of these: who runs scripts loads them again.
    """
    if isinstance(error, QueueError):
        return error
    import redis

    if isinstance(error, redis.InvalidResponse):
        return Unopened(
            f"{where} does not speak the Redis protocol", hint="look at its host and port"
        )
    answers = (redis.ResponseError, redis.AuthenticationError, redis.BusyLoadingError)
    if isinstance(error, answers) or str(error) in _PHRASES:
        return _answered(error, where)
    on_the_way = (_on_the_way(cause, where) for cause in _causes(error))
    return next(filter(None, on_the_way), None) or _silent(error, where, entering)


def _silent(error: Exception, where: str, entering: Address | None) -> QueueError:
    """Return what it means that no answer came."""
    from redis import TimeoutError as TooLate

    is_late = isinstance(error, TooLate | TimeoutError)
    if entering is None and is_late:
        return Unavailable(
            f"{where} did not answer in time", hint="see whether it is overloaded or stopped"
        )
    if entering is None:
        return Unavailable(f"{where} hung up: it was stopped, or the network was cut")
    doing = "did not let us in in time" if is_late else "hung up before it had let us in"
    if entering.is_tls:
        wants = "" if is_late else "; if it wants a certificate of ours, name it in `tls.cert`"
        return Unavailable(
            f"{where} {doing}", hint=f"if it speaks no TLS, write redis:// in `url`{wants}"
        )
    return Unavailable(f"{where} {doing}", hint="if it wants TLS, write rediss:// in `url`")


def _answered(error: Exception, where: str) -> QueueError:
    code, text = getattr(error, "status_code", None) or "", str(error)
    found = _WORD.search(f"{code} {text}".strip())
    if found:
        word, text = found[1], found[2]
        return _forbidden(text, where) if word == "NOPERM" else _as(_WORDS[word], where, text)
    for phrase, meaning in _PHRASES.items():
        if phrase in f"{code} {text}":
            return _as(meaning, where, text)
    if "can't run this command" in text or "ACL failure in script" in text:
        return _forbidden(text, where)
    return Unavailable(f"{where} answers: {_BEHIND.split(text)[0][:200]}")


def _as(meaning: _Told, where: str, text: str) -> QueueError:
    # Behind its own words a server tells of the script it was in, which helps nobody, and repeats
    # what it was given, a password too.
    plain = _BEHIND.split(text)[0].strip().rstrip(".")
    return meaning.error(meaning.says.format(where=where, text=plain[:200]), hint=meaning.hint)


def _forbidden(text: str, where: str) -> QueueError:
    named = _COMMAND.search(text)
    if named and "key" not in text:
        command = named[1]
        return Refused(
            f"{where}: the user may not run the command {command!r}",
            hint=f"let it: ACL SETUSER USER +{command}",
        )
    if "command" in text:
        return Refused(
            f"{where}: the user may not run a command that a script of ours runs",
            hint="let it: ACL SETUSER USER +@all -@admin -@dangerous +info",
        )
    what, mark = ("channels", "&") if "channel" in text else ("keys", "~")
    return Refused(
        f"{where}: the user may not touch our {what}",
        hint=f"let it: ACL SETUSER USER '{mark}{{PREFIX}}:*', with the driver's `prefix` in braces",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and what it was made of, outermost first."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _on_the_way(cause: BaseException, where: str) -> QueueError | None:
    """Return what kept us from the server, if that is what *cause* tells of."""
    if isinstance(cause, ssl.SSLError):
        return _tls(cause, where)
    if isinstance(cause, socket.gaierror):
        return Unavailable(f"{where}: no such host", hint="look at its name, and at your DNS")
    if isinstance(cause, ConnectionRefusedError):
        return Unavailable(
            f"nothing listens at {where}", hint="start the server, or look at host and port"
        )
    if isinstance(cause, FileNotFoundError):
        return Unavailable(
            f"{where}: there is no such socket", hint="start the server, or look at the path"
        )
    if isinstance(cause, PermissionError):
        return Refused(
            f"{where} may not be opened by this user", hint="see the socket's unixsocketperm"
        )
    return None


def _tls(cause: ssl.SSLError, where: str) -> QueueError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Refused(
            f"{where} shows a certificate that is not trusted: {cause.verify_message.rstrip('.')}",
            hint="name the authority that signed it in `tls.ca`, and the host as it is signed",
        )
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Unavailable(
            f"{where} hung up in the middle of TLS",
            hint="if it wants a certificate of ours, name it in `tls.cert` and `tls.key`",
        )
    reason = cause.reason or ""
    if any(word in reason for word in _NO_TLS):
        return Refused(f"{where} does not speak TLS", hint="write redis:// in `url`")
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return Refused(
            f"{where} wants a certificate of ours", hint="name it in `tls.cert` and `tls.key`"
        )
    if "UNKNOWN_CA" in reason or "BAD_CERTIFICATE" in reason:
        return Refused(
            f"{where} does not trust our certificate",
            hint="have `tls.cert` signed by an authority that the server trusts",
        )
    return Refused(f"{where}: no TLS connection: {reason or cause}", hint="look at `tls`")
