"""`moonq types`: write what editors read of a project."""

from __future__ import annotations

import json

import click

from moonq.cli.options import Options, command, project_argument
from moonq.cli.streams import echo
from moonq.text.wording import plural


@command()
@project_argument
@click.option("--check", is_flag=True, help="Write nothing; end with 1 when something is stale.")
@click.option("--selene", is_flag=True, help="Write settings of the linter selene, too.")
def types(options: Options, check: bool, selene: bool) -> int:
    """Write what editors read of PROJECT: types of Lua, schemas of YAML.

    It is this folder when not named. In .moonq/types an editor finds the modules, the ids of the
    project, its libraries and its Python modules; in .moonq/schema what may stand in its YAML. What
    is missing in .luarc.json (LuaLS, EmmyLua) and .emmyrc.json (EmmyLua) is added, and what stands
    there stays. `moonq new` and `moonq init` do it, too; `moonq dev` and `moonq check` keep what
    lies below .moonq up to date.

    \b
    Examples:
      moonq types
      moonq types shop --check
      moonq types --selene
    """
    from moonq.editor import Plan, known_at
    from moonq.kinds import load

    project = known_at(options.project) or load(options.project)
    plan = Plan.of(project, for_selene=selene)
    changed = plan.stale() if check else plan.write()
    names = [path.as_posix() for path in changed]
    if options.json:
        said = {"files": len(plan.files), "stale" if check else "written": names}
        echo(json.dumps({"schema": "moonq.types/1", **said, "notes": [*plan.notes]}))
    elif not names:
        options.say(f"{plural(len(plan.files), 'file')} for editors, all as they should be")
    elif check:
        echo("\n".join(f"stale: {name}" for name in names))
        options.warn(f"{plural(len(names), 'file')} stale: run `moonq types`")
    else:
        told = f"wrote {len(names)} of {plural(len(plan.files), 'file')} for editors"
        options.say(f"{told}: .moonq/types, .moonq/schema, .luarc.json, .emmyrc.json")
    if not options.json:
        for note in plan.notes:
            options.warn(note)
    return int(check and bool(names))
