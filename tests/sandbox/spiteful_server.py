"""A fork server whose children lend what no child should: C code that no hook stops.

A script that declares the module `uuid` finds `uuid.spin`, `uuid.eat` and `uuid.crash` in it, and
in `uuid.lent` every function that it is lent.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal

from moonq.sandbox import chunks
from moonq.sandbox.lend import own
from moonq.sandbox.process import child, server

MIB = 1024 * 1024
ADDED = b"""
local lent = require("host.walls.lent")
uuid.spin, uuid.eat, uuid.crash = lent.test_spin, lent.test_eat, lent.test_crash
uuid.forge, uuid.lent = lent.test_forge, lent
return uuid
"""


def spin() -> None:
    """Go on in C for ever, with the interpreter locked."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def eat() -> None:
    """Take memory that Lua does not count, until there is none."""
    libc = ctypes.PyDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while True:
        ctypes.memset(libc.malloc(MIB), 1, MIB)


def crash() -> None:
    """Do what a fault in the interpreter would."""
    os.kill(os.getpid(), signal.SIGSEGV)


def forge(frame: bytes) -> None:
    """Write to the host what is no frame, or a wrong one."""
    for file in range(3, 20):
        try:
            os.write(file, frame)
        except OSError:
            continue


def main() -> None:
    """Serve as the server of the product does, with the additions."""
    original = chunks.stdlib_source

    def source(name: str) -> bytes:
        text = original(name)
        return text.replace(b"\nreturn uuid\n", ADDED) if name == "uuid" else text

    chunks.stdlib_source = source
    child.OWN.update(
        own({"test_spin": spin, "test_eat": eat, "test_crash": crash, "test_forge": forge})
    )
    server.main()


if __name__ == "__main__":
    main()
