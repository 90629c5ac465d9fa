"""`moonq init`: make a folder with other things in it a project."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import click

from moonq.cli import scaffolding
from moonq.cli.options import Options, command
from moonq.cli.scaffolding import IGNORED
from moonq.cli.streams import echo
from moonq.errors import NotFound
from moonq.text.plain import visible

INDEX = Path("src/_index.yaml")
GITIGNORE = Path(".gitignore")


@command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@scaffolding.template_option("empty")
@scaffolding.git_option
def init(options: Options, path: Path, template: str, git: bool) -> None:
    """Add to the folder PATH what it lacks to be a project.

    It is this folder when not named. What is there stays as it is, and is named; a folder with
    entries of its own gets none. Of .gitignore and .luarc.json what is missing is added. Run it as
    often as you like.

    \b
    Examples:
      moonq init
      moonq init shop --template basic
    """
    if not path.is_dir():
        raise NotFound(
            f"{path} is no folder" if path.exists() else f"there is no folder {path}",
            hint="make a new project with `moonq new`",
        )
    sources = scaffolding.template_files(template)
    if _has_entries(path):
        sources = {name: one for name, one in sources.items() if len(name.parts) == 1}
    kept = sorted(name.as_posix() for name in sources if os.path.lexists(path / name))
    missing = {name: one for name, one in sources.items() if name.as_posix() not in kept}
    made = scaffolding.write(path, missing)
    changed = ignore(path) if GITIGNORE not in missing else False
    if changed:
        kept.remove(GITIGNORE.name)
    files = [*made.files, *([GITIGNORE.name] if changed else [])]
    if git:
        scaffolding.make_repository(path)
    if options.json:
        said = {"path": str(path), "files": files, "kept": kept, "template": template}
        echo(json.dumps({"schema": "moonq.init/1", **said}))
        return
    options.say(summary(path, files, kept))
    for note in made.notes:
        options.warn(note)


def _has_entries(path: Path) -> bool:
    """Say whether there are entries anywhere in the folder."""
    from moonq.registry import discovery

    try:
        files = [*discovery.yaml_files(path)]
    except (OSError, ValueError):  # it is too large to be a project so far
        return False
    return any(discovery.document(one, path, [], asked=False) for one in files)


def ignore(path: Path) -> bool:
    """Add what moonq makes to the `.gitignore` that is there; say whether that was needed."""
    file = path / GITIGNORE
    text = file.read_text(encoding="utf-8", errors="surrogateescape")
    if {IGNORED, IGNORED.rstrip("/"), f"/{IGNORED}"} & {*text.split()}:
        return False
    gap = "" if not text or text.endswith("\n") else "\n"
    file.write_text(f"{text}{gap}{IGNORED}\n", encoding="utf-8", errors="surrogateescape")
    return True


def summary(path: Path, files: list[str], kept: list[str]) -> str:
    """Return what came, what was left alone, and what to do next."""
    name = visible(str(path))
    lines = [f"added to {name}/: {', '.join(files)}" if files else f"{name}/ lacks nothing"]
    if kept:
        lines.append(f"left alone: {', '.join(kept)}")
    there = [] if path.samefile(".") else [f"  cd {shlex.quote(name)}"]
    return "\n".join([*lines, "", "next:", *there, "  moonq check", "  moonq guide"])
