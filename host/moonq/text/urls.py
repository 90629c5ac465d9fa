"""URLs as people write them, looked at before anything is done with them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LONGEST = 8192
_NO_URL = re.compile(r"[\x00-\x20\x7f\\]")


def problem_of(url: str, *, may_have_user: bool = False) -> str:
    """Return what is wrong with *url*, which is to name a place of HTTP; nothing: it will do.

    The words follow behind what it is called, and hold nothing of it: it may hold a password.

        problem_of("ftp://bank.example")          # "must begin with http:// or https://"
        problem_of("https://ada:pw@bank.example") # "holds a user or a password"
    """
    if len(url) > LONGEST:
        return f"has more than {LONGEST} characters"
    if found := _NO_URL.search(url):
        return f"holds a character that no URL has: {found[0]!r}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "has a host or a port that makes no sense"
    problems = {
        "must begin with http:// or https://": parts.scheme not in ("http", "https"),
        "names no host": not parts.hostname or "%" in parts.netloc.rpartition("@")[2],
        "has port 0, where nobody listens": port == 0,
        "holds a user or a password": "@" in parts.netloc and not may_have_user,
        "has a `#`, and nothing behind that is ever sent": "#" in url,
    }
    return next((problem for problem, is_so in problems.items() if is_so), "")


def shown(url: str) -> str:
    """Return *url* without what may be secret in it: user, password, query and fragment.

    shown("https://ada:pw@bank.example/a?key=1")  # "https://bank.example/a"
    """
    start, separator, rest = url.partition("://")
    rest = re.split(r"[?#]", rest if separator else start, maxsplit=1)[0]
    if not separator:
        return rest
    authority, slash, path = rest.partition("/")
    return f"{start}://{authority.rpartition('@')[2]}{slash}{path}"
