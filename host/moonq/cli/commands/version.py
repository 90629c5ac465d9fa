"""`moonq version`: say which moonq this is."""

from __future__ import annotations

import json
import platform

from moonq import __version__
from moonq.cli.options import Options, command
from moonq.cli.streams import echo


@command()
def version(options: Options) -> None:
    """Say which moonq, Python and Lua these are.

    \b
    Example:
      moonq version --json
    """
    parts = versions()
    if options.json:
        echo(json.dumps({"schema": "moonq.version/1", **parts}))
    else:
        echo("moonq {moonq} · Python {python} · Lua {lua} (lupa {lupa})".format(**parts))


def versions() -> dict[str, str]:
    """Return which moonq, Python, Lua and lupa these are."""
    # Only here: `moonq --help` reads this file too, and it would cost 10 ms.
    from importlib.metadata import version as installed

    return {
        "moonq": __version__,
        "python": platform.python_version(),
        "lua": "5.4",
        "lupa": installed("lupa"),
    }
