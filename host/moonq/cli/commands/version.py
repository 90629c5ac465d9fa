"""`moonq version`: say which moonq this is."""

from __future__ import annotations

import json
import platform

from moonq import __version__
from moonq.cli.options import Options, command
from moonq.cli.streams import echo

VERSIONS = "moonq {moonq} · Python {python} · Lua {lua} (lupa {lupa}) · JSON {json_codec}"


@command()
def version(options: Options) -> None:
    """Say which moonq, Python and Lua these are, and which codec reads and writes JSON.

    \b
    Example:
      moonq version --json
    """
    parts = versions()
    if options.json:
        echo(json.dumps({"schema": "moonq.version/1", **parts}))
    else:
        echo(VERSIONS.format(**parts))


def versions() -> dict[str, str]:
    """Return which moonq, Python, Lua, lupa and codec of JSON (`native` or `lua`) these are."""
    # Only here: `moonq --help` reads this file too, and it would cost 10 ms.
    from importlib.metadata import version as installed

    from moonq.sandbox import native

    return {
        "moonq": __version__,
        "python": platform.python_version(),
        "lua": "5.4",
        "lupa": installed("lupa"),
        "json_codec": native.codec().name,
    }
