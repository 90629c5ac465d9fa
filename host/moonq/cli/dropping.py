"""How it is told that messages were dropped, and how to get them back."""

from __future__ import annotations

import shlex
from typing import Any

from moonq.text.wording import counted, size


def dropped_lines(verb: str, answer: dict[str, Any]) -> list[str]:
    """Return the lines about messages that were dropped."""
    lines = []
    done = f"{verb} {counted(answer['dropped'])}"
    if "backup" in answer:
        days = answer["kept_days"]
        lines.append(
            f"saved  {answer['backup']} ({size(answer['backup_bytes'])}, kept {days} days)"
        )
        done += f" · undo: {undo(answer)}"
    lines.append(done)
    missing = answer["chosen"] - answer["dropped"]
    if missing > 0:
        lines.append(f"{counted(missing)} were taken by a consumer meanwhile")
    return lines


def undo(answer: dict[str, Any]) -> str:
    """Return the command that brings them back."""
    return f"moonq publish {answer['queue']} --ndjson {shlex.quote(answer['backup'])}"
