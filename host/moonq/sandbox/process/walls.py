"""What the system holds a child to, beside what its Lua state does.

Each of these may be forbidden where the host runs, in a container for instance: the child then
works without it, and what it lacks is said.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from math import ceil

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_CAPABILITY_VERSION = 0x20080522
#: Address space beside that of the states: frames, and Python's own objects.
SLACK = 64 * 1024 * 1024
#: Seconds of CPU beyond the limit of a call, until the system itself ends the child.
CPU_SLACK = 1.0


def name_process(name: bytes) -> None:
    """Show it as *name* in lists of processes, where the system can."""
    with suppress(AttributeError, OSError):
        _libc().prctl(_PR_SET_NAME, name, 0, 0, 0)


def raise_all() -> list[str]:
    """Hold this process to everything; returns what is not held, and why."""
    return [f"{what}: {why}" for what, wall in _WALLS.items() if (why := _tried(wall))]


def _tried(wall: Callable[[], None]) -> str:
    try:
        wall()
    except AttributeError:
        return "this system has no such thing"
    except (OSError, ValueError) as problem:
        return getattr(problem, "strerror", None) or str(problem)
    return ""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _no_network() -> None:
    _checked(_libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNET))


def _no_capabilities() -> None:
    """Give up all that root, or who has made a user namespace, may do beyond others."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _checked(_libc().capset(header, (ctypes.c_uint32 * 6)()))


def _no_new_privileges() -> None:
    _checked(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def die_with_parent() -> None:
    """Let the system kill this process when the one that has made it ends, however it ends."""
    parent = os.getppid()
    _checked(_libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    if os.getppid() != parent:
        os._exit(0)


def _no_core_dumps() -> None:
    # Bodies of messages would be in them.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _address_space() -> None:
    limit_memory(0)


def _cpu_time() -> None:
    limit_cpu(None)


def limit_memory(count: int) -> None:
    """Let this process have *count* bytes of address space beside what it began with."""
    global _began_with  # noqa: PLW0603 - measured once, before there is anything of a script
    _began_with = _began_with or _address_space_used()
    _limit(resource.RLIMIT_AS, _began_with + SLACK + count if count else None)


_began_with = 0


def _address_space_used() -> int:
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - a child has few imports
        return int(statm.read().split()[0]) * resource.getpagesize()


def limit_cpu(seconds: float | None) -> None:
    """Let the next call use *seconds* and a bit, for the limit counts a process's whole life."""
    used = time.process_time()
    _limit(resource.RLIMIT_CPU, None if seconds is None else ceil(used + seconds + CPU_SLACK))


def _limit(what: int, most: int | None) -> None:
    """Let there be *most* of it, or no limit, within what the host itself was given."""
    _, hard = resource.getrlimit(what)
    wanted = hard if most is None else most
    resource.setrlimit(
        what, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
    )


#: In an order: a new user namespace has all capabilities, and what changes them takes back that
#: the process dies with its parent.
_WALLS: dict[str, Callable[[], None]] = {
    "no network": _no_network,
    "no capabilities": _no_capabilities,
    "no new privileges": _no_new_privileges,
    "no core dumps": _no_core_dumps,
    "address space": _address_space,
    "cpu time": _cpu_time,
    "dies with its host": die_with_parent,
}
#: What they are called.
NAMES = tuple(_WALLS)
