"""What `moonq new` and `moonq init` write: the files of a template, in the words of a project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from moonq.errors import MoonqError
from moonq.text.plain import visible

FC = TypeVar("FC", bound=Callable[..., Any] | click.Command)

SCAFFOLD = Path(__file__).resolve().parents[1] / "scaffold"
BROKERS = ("redis", "amqp", "sqs")
#: The folders of each template; a file of a later one stands for that of an earlier one.
TEMPLATES = {
    "basic": ("common", "basic"),
    "empty": ("common", "empty"),
    "http": ("common", "basic", "http"),
    **{broker: ("common", "basic", "broker", broker) for broker in BROKERS},
}
#: What no prefix of queues at a broker may hold.
_ODD = re.compile(r"[^A-Za-z0-9]+")
IGNORED = ".moonq/"


def template_option(default: str) -> Callable[[FC], FC]:
    """Return the option that chooses one of the templates."""
    return click.option(
        "--template",
        type=click.Choice(list(TEMPLATES)),
        default=default,
        show_default=True,
        help="empty has no entries; basic keeps messages in memory; http does, and asks a service"
        " over HTTP; the others keep them in a file, and at a broker in a profile.",
    )


git_option = click.option(
    "--git/--no-git", default=False, help="Make it a repository of git, or not."
)


class Made(NamedTuple):
    """What was written, by paths below the project's folder."""

    files: list[str]
    notes: list[str]
    """What a person has to do about the settings of an editor."""


def template_files(template: str) -> dict[Path, Path]:
    """Return the files of a new project, relative to its folder, and what each is a copy of."""
    found: dict[Path, Path] = {}
    for layer in TEMPLATES[template]:
        for folder, _, names in os.walk(SCAFFOLD / layer):
            for path in (Path(folder, name) for name in names):
                found[path.relative_to(SCAFFOLD / layer)] = path
    return found


def write(path: Path, sources: dict[Path, Path]) -> Made:
    """Write these files of a template below *path*, and what editors read of the project."""
    for name, source in sources.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        for word, stands_for in _words_for(path).items():
            text = text.replace(word, stands_for)
        target.write_text(text, encoding="utf-8")
    settings, notes = _for_editors(path)
    return Made(sorted({*map(Path.as_posix, sources), *settings}), notes)


def _for_editors(path: Path) -> tuple[list[str], list[str]]:
    """Write types and schemas; return the settings of editors that came or changed."""
    from moonq.editor import FOLDERS, Plan, known_at

    project = known_at(path)
    if project is None:
        return [], [
            "there are no types for editors yet: run `moonq types` once `moonq check` passes"
        ]
    plan = Plan.of(project)
    changed = plan.write()
    ours = [one for one in changed if not any(one.is_relative_to(folder) for folder in FOLDERS)]
    return [one.as_posix() for one in ours], [*plan.notes]


def make_repository(path: Path) -> None:
    """Make *path* a repository of git.

    Raises:
        MoonqError: There is no git, or it cannot.
    """
    git = shutil.which("git")
    if git is None:
        raise MoonqError("there is no git on this machine", hint="install it, or leave out --git")
    done = subprocess.run(  # noqa: S603 - git, with the folder that was asked for
        [git, "init", "--quiet", str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MoonqError(f"git made no repository: {done.stderr.strip()}")


def project_around(path: Path) -> Path | None:
    """Return the folder of the project that *path* lies in."""
    marks = ("moonq.yaml", "_index.yaml")
    around = path.resolve().parents
    return next((one for one in around if any((one / mark).is_file() for mark in marks)), None)


def _words_for(path: Path) -> dict[str, str]:
    """Return what the words of a template stand for in the project at *path*.

    The name is quoted, for a folder may be called `no`; the slug is what any broker takes.
    """
    name = visible(path.resolve().name)[:80].strip()  # a project's name has no more
    slug = _ODD.sub("-", name).strip("-")[:30]
    return {
        "project-name": json.dumps(name, ensure_ascii=False),
        "project-title": name,
        "project-slug": slug or "moonq",
    }
