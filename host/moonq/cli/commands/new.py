"""`moonq new`: make a project."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import click

from moonq.cli.options import Options, command
from moonq.cli.streams import echo
from moonq.errors import ConfirmationNeeded
from moonq.text import extras
from moonq.text.plain import visible

SCAFFOLD = Path(__file__).resolve().parents[2] / "scaffold"
BROKERS = ("redis", "amqp", "sqs")
#: The folders of each template; a file of a later one stands for that of an earlier one.
TEMPLATES = {
    "basic": ("basic",),
    "http": ("basic", "http"),
    **{broker: ("basic", "broker", broker) for broker in BROKERS},
}
#: What no prefix of queues at a broker may hold.
_ODD = re.compile(r"[^A-Za-z0-9]+")


@command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--template",
    type=click.Choice(list(TEMPLATES)),
    default="basic",
    show_default=True,
    help="basic keeps messages in memory; http does, and asks a service over HTTP; the others keep"
    " them in a file, and at a broker in a profile.",
)
@click.option("--yes", is_flag=True, help="Write into a folder that has other files in it.")
def new(options: Options, path: Path, template: str, yes: bool) -> None:
    """Make a project in the folder PATH.

    It has a queue, a consumer, a handler and a test. No file is ever overwritten. In the folder of
    another project it is one of its own, as every folder with a moonq.yaml is. With the template of
    a broker it runs without one, and at the broker with a profile; its README.md says how to start
    the broker on this machine, and what it keeps. With the template http the handler asks a service
    (pip install "moonq[http]"); its README.md says how to play that service on this machine.

    \b
    Examples:
      moonq new shop
      moonq new shop --template redis
      moonq new shop --template http
    """
    sources = template_files(template)
    files = sorted(sources)
    refuse_conflicts(path, files)
    if is_used(path) and not (yes or options.confirms(f"{path} is not empty; add to it?")):
        raise ConfirmationNeeded(f"{path} is not empty", hint="add --yes to write into it")
    for name, source in sources.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        for word, stands_for in words_for(path).items():
            text = text.replace(word, stands_for)
        target.write_text(text, encoding="utf-8")
    if options.json:
        made = {"path": str(path), "files": list(map(str, files)), "template": template}
        echo(json.dumps({"schema": "moonq.new/1", **made}))
    else:
        options.say(summary(visible(str(path)), len(files), template))
        if around := project_around(path):
            options.say(f"\nit lies in {visible(around.name)}, and is a project of its own there")


def template_files(template: str) -> dict[Path, Path]:
    """Return the files of a new project, relative to its folder, and what each is a copy of."""
    found: dict[Path, Path] = {}
    for layer in TEMPLATES[template]:
        for folder, _, names in os.walk(SCAFFOLD / layer):
            for path in (Path(folder, name) for name in names):
                found[path.relative_to(SCAFFOLD / layer)] = path
    return found


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


def words_for(path: Path) -> dict[str, str]:
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


def summary(path: str, count: int, template: str) -> str:
    """Return what was made and what to do next."""
    at_a_broker = f"\n  moonq run --profile {template}   # see README.md"
    install = f"\n  {extras.pip(template)}" if extras.is_missing(template) else ""
    return f"""\
created {path}/ ({count} files)

  src/_index.yaml               queue app:orders → consumer → app:process_order
  src/process_order.lua         the handler
  test/process_order_test.lua   its test

next:
  cd {shlex.quote(path)}{install}
  moonq test
  moonq call app:process_order '{{"id":42,"total_cents":2500}}' --as-message
  moonq run{at_a_broker if template in BROKERS else ""}"""
