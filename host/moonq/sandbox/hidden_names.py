"""Lets the collector of a Lua state look for other names than `__gc` and `__mode`.

A weak table that gets a new metatable corrupts the memory of Lua 5.4.8, finalizers run where no
hook stops them, and ephemerons cost seconds. All of it hangs on two names that the collector looks
up in metatables. It has them from `global_State.tmname`, an array in the order of the events:

    __index  __newindex  __gc  __mode  __len  __eq  __add  …

With two of its entries pointed at strings that only the trusted half knows, `__gc` and `__mode` of
a script are keys like any other, and metatables need no other guard. The strings are short ones
(those the collector compares by address) and anchored in the state's registry.

The array is searched for, never guessed: `lua_State` and `global_State` of a main coroutine are
one block of memory (`LG` in `lstate.c`), and no byte outside of it is read. Nothing is written
unless six strings in a row and the two pointers before them are what they must be.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import weakref
from collections.abc import Iterator

_WORD = ctypes.sizeof(ctypes.c_void_p)
#: A `lua_State` has about 200 bytes; what points to its `global_State` is in the first ten words.
_HEAD_WORDS = 10
_LARGEST_STATE = 40 * _WORD
#: The array begins some 45 words into a `global_State`, which has more than 180.
_SEARCHED_WORDS = 80
#: Before it stand `mainthread` and `memerrmsg`.
_BEFORE = 2
#: Where `__gc` and `__mode` are in the array.
_GC, _MODE = 2, 3
#: Set, it leaves the names as they are, for tests of the other way.
SWITCHED_OFF = "MOONQ_COPY_METATABLES"


def new_pair() -> tuple[bytes, bytes]:
    """Return two names that no script can guess; Lua interns those of up to 40 bytes."""
    return secrets.token_hex(12).encode(), secrets.token_hex(12).encode()


def hide(addresses: bytes) -> bool:
    """Point the two entries elsewhere; False where the array was not found.

    *addresses*, hexadecimal with blanks between, are those of the main coroutine, of the first six
    names in the array's order, and of the two strings that are to stand for `__gc` and `__mode`.
    """
    if os.environ.get(SWITCHED_OFF):
        return False
    try:
        state, *known, gc, mode = (int(address, 16) for address in addresses.split())
    except ValueError:
        return False
    array = _find(state, known)
    if array is None:
        return False
    ctypes.c_void_p.from_address(array + _GC * _WORD).value = gc
    ctypes.c_void_p.from_address(array + _MODE * _WORD).value = mode
    return True


def _find(state: int, names: list[int]) -> int | None:
    """Return the address of the array that begins with *names*."""
    for block in _blocks(state):
        words = _read(block, _SEARCHED_WORDS)
        for at in range(_BEFORE, len(words) - len(names) + 1):
            if words[at : at + len(names)] == names and words[at - _BEFORE] == state:
                return block + at * _WORD
    return None


def _blocks(state: int) -> Iterator[int]:
    """Yield where the `global_State` may be: what the head points at close behind the state."""
    for word in _read(state, _HEAD_WORDS):
        if word % _WORD == 0 and 0 < word - state < _LARGEST_STATE:
            yield word


def _read(address: int, words: int) -> list[int]:
    return list((ctypes.c_size_t * words).from_address(address))


class Lost:
    """A Python object that a state is lent and forgets: proof that such objects come back."""

    def __init__(self) -> None:
        self._seen: weakref.ref[Lost._Object] | None = None

    class _Object:
        """Anything that a weak reference can watch."""

    def lend(self) -> object:
        """Return an object that only the state holds."""
        lent = self._Object()
        self._seen = weakref.ref(lent)
        return lent

    def is_back(self) -> bool:
        """Whether it was freed."""
        return self._seen is not None and self._seen() is None
