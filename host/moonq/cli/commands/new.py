"""`moonq new`: make a project."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from moonq.cli.options import Options, command
from moonq.errors import ConfirmationNeeded
from moonq.text.plain import visible

TEMPLATE = Path(__file__).resolve().parents[2] / "scaffold" / "basic"


@command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Write into a folder that has other files in it.")
def new(options: Options, path: Path, yes: bool) -> None:
    """Make a project in the folder PATH.

    It has a queue, a consumer, a handler and a test. No file is ever overwritten. In the folder of
    another project it is one of its own, as every folder with a moonq.yaml is.

    \b
    Example:
      moonq new shop
    """
    files = template_files()
    refuse_conflicts(path, files)
    if is_used(path) and not (yes or options.confirms(f"{path} is not empty; add to it?")):
        raise ConfirmationNeeded(f"{path} is not empty", hint="add --yes to write into it")
    for name in files:
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (TEMPLATE / name).read_text(encoding="utf-8")
        target.write_text(text.replace("project-name", project_name(path)), encoding="utf-8")
    if options.json:
        document = {"schema": "moonq.new/1", "path": str(path), "files": list(map(str, files))}
        click.echo(json.dumps(document))
    else:
        options.say(summary(visible(str(path)), len(files)))
        if around := project_around(path):
            options.say(f"\nit lies in {visible(around.name)}, and is a project of its own there")


def template_files() -> list[Path]:
    """Return the files of a new project, relative to its folder."""
    found = (Path(folder) / name for folder, _, names in os.walk(TEMPLATE) for name in names)
    return sorted(path.relative_to(TEMPLATE) for path in found)


def refuse_conflicts(path: Path, files: list[Path]) -> None:
    """Raise `ConfirmationNeeded` that names what is in the way."""
    if path.exists() and not path.is_dir():
        raise ConfirmationNeeded(f"{path} is a file", hint="name a folder")
    there = [str(name) for name in files if os.path.lexists(path / name)]
    if there:
        raise ConfirmationNeeded(
            f"{path} has files that would be overwritten: {', '.join(there)}",
            hint="move them away, or name another folder",
        )


def is_used(path: Path) -> bool:
    """Say whether there is anything in the folder *path*."""
    return path.is_dir() and any(path.iterdir())


def project_around(path: Path) -> Path | None:
    """Return the folder of the project that *path* lies in."""
    marks = ("moonq.yaml", "_index.yaml")
    around = path.resolve().parents
    return next((one for one in around if any((one / mark).is_file() for mark in marks)), None)


def project_name(path: Path) -> str:
    """Return the name of the project in *path* as YAML: quoted, for a folder may be called `no`."""
    return json.dumps(visible(path.resolve().name), ensure_ascii=False)


def summary(path: str, count: int) -> str:
    """Return what was made and what to do next."""
    return f"""\
created {path}/ ({count} files)

  src/_index.yaml               queue app:orders → consumer → app:process_order
  src/process_order.lua         the handler
  test/process_order_test.lua   its test

next:
  cd {path}
  moonq test
  moonq call app:process_order '{{"id":42,"total_cents":2500}}' --as-message
  moonq run"""
