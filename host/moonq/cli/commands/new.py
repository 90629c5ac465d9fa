"""`moonq new`: make a project."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import click

from moonq.cli import scaffolding
from moonq.cli.options import Options, command
from moonq.cli.scaffolding import BROKERS
from moonq.cli.streams import echo
from moonq.errors import ConfirmationNeeded
from moonq.text import extras
from moonq.text.plain import visible
from moonq.text.wording import plural


@command()
@click.argument("path", type=click.Path(path_type=Path))
@scaffolding.template_option("basic")
@scaffolding.git_option
@click.option("--yes", is_flag=True, help="Write into a folder that has other files in it.")
def new(options: Options, path: Path, template: str, git: bool, yes: bool) -> None:
    """Make a project in the folder PATH.

    It has a queue, a consumer, a handler and a test, and what an editor reads of them (see `moonq
    types`). No file is ever overwritten. In the folder of another project it is one of its own, as
    every folder with a moonq.yaml is. With the template of a broker it runs without one, and at the
    broker with a profile; its README.md says how to start the broker on this machine, and what it
    keeps. With the template http the handler asks a service (pip install "moonq[http]"); its
    README.md says how to play that service on this machine.

    \b
    Examples:
      moonq new shop
      moonq new shop --template redis
      moonq new shop --template http
      moonq new shop --template empty --git
    """
    sources = scaffolding.template_files(template)
    refuse_conflicts(path, sorted(sources))
    if is_used(path) and not (yes or options.confirms(f"{path} is not empty; add to it?")):
        raise ConfirmationNeeded(f"{path} is not empty", hint="add --yes to write into it")
    made = scaffolding.write(path, sources)
    if git:
        scaffolding.make_repository(path)
    if options.json:
        said = {"path": str(path), "files": made.files, "template": template}
        echo(json.dumps({"schema": "moonq.new/1", **said}))
        return
    options.say(summary(visible(str(path)), len(made.files), template))
    for note in made.notes:
        options.warn(note)
    if around := scaffolding.project_around(path):
        options.say(f"\nit lies in {visible(around.name)}, and is a project of its own there")


def refuse_conflicts(path: Path, files: list[Path]) -> None:
    """Raise `ConfirmationNeeded` that names what is in the way."""
    if path.exists() and not path.is_dir():
        raise ConfirmationNeeded(f"{path} is a file", hint="name a folder")
    there = [str(name) for name in files if os.path.lexists(path / name)]
    if there:
        raise ConfirmationNeeded(
            f"{path} has files that would be overwritten: {', '.join(there)}",
            hint="move them away, name another folder, or add what is missing: `moonq init`",
        )


def is_used(path: Path) -> bool:
    """Say whether there is anything in the folder *path*."""
    return path.is_dir() and any(path.iterdir())


def summary(path: str, count: int, template: str) -> str:
    """Return what was made and what to do next."""
    lines = [f"created {path}/ (template {template}, {plural(count, 'file')})", ""]
    lines += parts(template)
    return "\n".join([*lines, "", "next:", f"  cd {shlex.quote(path)}", *steps(template)])


def parts(template: str) -> list[str]:
    """Return what the files of a template are."""
    if template == "empty":
        return ["  src/_index.yaml               no entries yet"]
    tests = "3 tests" if template == "http" else "2 tests"
    return [
        "  src/_index.yaml               queue app:orders → consumer → app:process_order",
        "  src/process_order.lua         a handler with types",
        f"  test/process_order_test.lua   {tests}",
    ]


def steps(template: str) -> list[str]:
    """Return what to do in the folder of a new project."""
    if template == "empty":
        return ["  moonq check", "  moonq guide   # what to write into src/_index.yaml"]
    passed = 3 if template == "http" else 2
    found = [f"  {extras.pip(template)}"] if extras.is_missing(template) else []
    found += [
        f"  moonq test    # {passed} passed",
        """  moonq call app:process_order '{"id":42,"total_cents":2500}' --as-message""",
        "  moonq dev     # run it; edit a file and watch it reload",
    ]
    if template in BROKERS:
        found.append(f"  moonq run --profile {template}   # see README.md")
    return found
