"""Long output in the person's pager."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable

import click

from moonq.text.plain import safe
from moonq.views.screen import show


def paged(lines: Iterable[str], *, color: bool) -> None:
    """Show *lines*, through the pager where the terminal has not so many."""
    told = [*lines]
    if sys.stdout.isatty() and len(told) >= shutil.get_terminal_size().lines:
        through_pager(told, color=color)
    else:
        show(told)


def through_pager(lines: Iterable[str], *, color: bool) -> None:
    """Show *lines* in $PAGER or `less`, which is told to draw colours and to leave them there."""
    flags = os.environ.get("LESS", "")
    if not flags:
        os.environ["LESS"] = "FRX"
    elif "r" not in flags.lower():
        os.environ["LESS"] = f"{flags} -R"
    click.echo_via_pager(safe("".join(f"{line}\n" for line in lines)), color=color)
