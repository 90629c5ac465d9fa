"""Compiles the native half of JSON while moonq is installed or its wheel is made.

Without a C compiler, moonq is installed all the same and reads and writes JSON in Lua. The library
knows neither Python nor Lua's headers, so its wheel is for a platform, not for a Python.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "host/moonq/sandbox/native"
FLAGS = ("-std=c99", "-O2", "-fPIC", "-shared", "-fvisibility=hidden")


class Hook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the library beside its source, and with it into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before hatchling collects what belongs into the wheel."""
        folder = Path(self.root) / FOLDER
        problem = compiled(folder / "json.c", folder / "json.native")
        if problem:
            self.app.display_warning(f"JSON stays in Lua, as its C half was not built: {problem}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"].append(f"/{FOLDER}/json.native")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"


def compiled(source: Path, library: Path, *flags: str) -> str:
    """Make *library* of *source*; returns what went wrong, and then there is none.

    Processes that have the old one go on with it.
    """
    new = library.with_suffix(f".{os.getpid()}")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    rest = [*FLAGS, *flags, f'-DMOONQ_SOURCE="{digest}"', str(source), "-o", str(new)]
    problem = ""
    for compiler in _compilers():
        problem = _run([*shlex.split(compiler), *rest])
        if not problem:
            new.replace(library)
            return ""
    library.unlink(missing_ok=True)
    return problem


def _compilers() -> list[str]:
    """Return the one that was asked for, or the one that made this Python, and the system's."""
    chosen = os.environ.get("CC")
    return [chosen] if chosen else [sysconfig.get_config_var("CC") or "cc", "cc"]


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError as problem:
        return f"{command[0]}: {problem.strerror}"
    if done.returncode == 0:
        return ""
    return done.stderr.strip() or f"{command[0]} ended with {done.returncode}"
