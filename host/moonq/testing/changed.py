"""Which lines of a project's files are others than in a revision of git, for `--cov-diff`.

since(root, "main")          # {"src/process_order.lua": {12, 13}, "src/new.lua": EVERY}

Counted is what this branch has changed since it left the revision, with what is not committed, and
every line of files that git does not know yet.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

_FILE = re.compile(r'^\+\+\+ "?(?P<name>[^\t"]+)')
_HUNK = re.compile(r"^@@ -\S+ \+(?P<first>\d+)(?:,(?P<count>\d+))? @@")


class Every(Container[int]):
    """All lines of a file."""

    def __contains__(self, line: object) -> bool:
        return True


EVERY = Every()


def since(root: Path, revision: str) -> Mapping[str, Container[int]]:
    """Return the lines of files in *root*, by their paths below it.

    Raises:
        ValueError: *root* is in no repository, or that has no such revision.
    """
    commit = _commit(root, revision)
    base = _git(root, "merge-base", commit, "HEAD") or commit
    found: dict[str, Container[int]] = {}
    lines: dict[str, set[int]] = {}
    for name, numbers in _hunks(_diff(root, base.strip())):
        lines.setdefault(name, set()).update(numbers)
    found.update(lines)
    listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z") or ""
    found.update(dict.fromkeys(filter(None, listed.split("\0")), EVERY))
    return found


def _commit(root: Path, revision: str) -> str:
    if _git(root, "rev-parse", "--is-inside-work-tree") is None:
        raise ValueError(f"{root} is in no repository of git")
    wanted = f"{revision}^{{commit}}"
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    if not commit:
        raise ValueError(f"git knows no revision {revision!r}")
    return commit.strip()


def _diff(root: Path, base: str) -> str:
    plain = ("--no-color", "--no-ext-diff", "--no-renames", "--dst-prefix=", "--src-prefix=")
    return _git(root, "diff", *plain, "--unified=0", "--relative", base, "--") or ""


def _hunks(diff: str) -> Iterator[tuple[str, range]]:
    name = ""
    for line in diff.split("\n"):
        if found := _FILE.match(line):
            name = found["name"]
        elif found := _HUNK.match(line):
            first = int(found["first"])
            yield name, range(first, first + int(found["count"] or 1))


def _git(root: Path, *words: str) -> str | None:
    """Return what git says; None where it fails.

    Raises:
        ValueError: There is no git.
    """
    command = ["git", "-C", str(root), "-c", "core.quotePath=off", *words]
    try:
        said = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - words of ours
    except FileNotFoundError:
        raise ValueError("git is not installed") from None
    return said.stdout.decode("utf-8", "surrogateescape") if said.returncode == 0 else None
