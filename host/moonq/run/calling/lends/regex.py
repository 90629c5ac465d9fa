"""Regular expressions in linear time, by RE2; Lua gets where things are, not what they are."""

from __future__ import annotations

from functools import lru_cache
from struct import pack
from typing import Any

from moonq.errors import Invalid
from moonq.run.calling.lending import Caller, lent
from moonq.sandbox.lend import text
from moonq.text.extras import client

#: Bytes of a subject, and of a pattern.
MAX_SUBJECT = 1024 * 1024
MAX_PATTERN = 16 * 1024
#: Groups of a pattern.
MAX_GROUPS = 100
#: Bytes of a subject times instructions of a pattern: RE2's slow engine takes 12 ns for each at
#: worst (measured), and nothing interrupts it.
MAX_WORK = 10**8
#: Matches of one call, and the places of all their groups.
MAX_MATCHES = 10_000
MAX_PLACES = 200_000
#: Bytes that one compiled pattern may take, and how many are kept.
MEMORY = 1024 * 1024
KEPT = 128


@lent(action=None, writes=False, waits=False)
def regex_compile(caller: Caller, pattern: bytes, flags: bytes) -> bytes:
    """Look at a pattern; returns the number of its groups, then number and name of each."""
    found = _compiled(pattern, flags)
    if found.groups > MAX_GROUPS:
        raise Invalid(f"the pattern has {found.groups} groups, more than {MAX_GROUPS}")
    names = sorted((number, name) for name, number in found.groupindex.items())
    listed = [b"%d" % found.groups, *(b"%d,%s" % one for one in names)]
    return b",".join(listed)


@lent(action=None, writes=False, waits=False, holds=True)
def regex_find(
    caller: Caller, pattern: bytes, flags: bytes, subject: bytes, at: int, most: int
) -> bytes:
    """Return the first *most* matches from byte *at* on.

    Each is the start and end of the whole and of every group, as integers of four bytes, which
    count from 0; -1 stands for a group that took no part.

    Raises:
        Invalid: The pattern is too expensive for the subject, or there are too many.
        CutShort: The time of the call is over.
    """
    compiled = _compiled(pattern, flags)
    _check_work(compiled, subject)
    is_text, groups = b"b" not in flags, range(compiled.groups + 1)
    places: list[int] = []
    count = 0
    for match in compiled.finditer(subject, at):
        # Every time: to find one may take a second.
        caller.look_up()
        if is_text and _is_inside(subject, match.start()):
            continue
        if count >= MAX_MATCHES or len(places) >= MAX_PLACES:
            raise Invalid(f"regex: more than {count} matches in one call")
        for group in groups:
            places += match.span(group)
        count += 1
        if count >= most:
            break
    return pack(f"<{len(places)}i", *places)


def _is_inside(subject: bytes, at: int) -> bool:
    """Whether *at* is in the midst of a character, where RE2 finds what is empty, too."""
    return at < len(subject) and subject[at] & 0xC0 == 0x80


def _check_work(compiled: Any, subject: bytes) -> None:
    length, size = len(subject), compiled.programsize
    if length > MAX_SUBJECT:
        raise Invalid(f"regex: the subject has {length} bytes, more than {MAX_SUBJECT}")
    if length * size > MAX_WORK:
        raise Invalid(
            f"regex: the pattern is too expensive for a subject of {length} bytes:"
            f" it has {size} instructions, at most {MAX_WORK // length} will do"
        )


@lru_cache(KEPT)
def _compiled(pattern: bytes, flags: bytes) -> Any:
    """Return a pattern of RE2; *flags* are letters: i ignores case, s lets `.` match line ends,
    m lets `^` and `$` match at lines, b matches bytes instead of UTF-8."""
    if len(pattern) > MAX_PATTERN:
        raise Invalid(f"regex: the pattern has {len(pattern)} bytes, more than {MAX_PATTERN}")
    re2: Any = client("regex", "re2", "the library behind the module `regex`")
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    if b"b" in flags:
        options.encoding = re2.Options.Encoding.LATIN1
    inner = bytes(flag for flag in flags if flag in b"ism")
    try:
        return re2.compile(b"(?%s)%s" % (inner, pattern) if inner else pattern, options)
    except re2.error as problem:
        (said,) = problem.args
        raise Invalid(f"regex: malformed pattern ({text(said)})") from None
