"""What editors read of a project: types of Lua, schemas of YAML, and the settings that find them.

    plan = Plan.of(project)
    plan.stale()               # the files that differ from what the project says
    plan.write()

`.moonq/types` and `.moonq/schema` are made anew and belong to nobody else; of a `.luarc.json` only
what is missing is added.
"""

from moonq.editor.plan import FOLDERS, Plan, known_at, refresh

__all__ = ["FOLDERS", "Plan", "known_at", "refresh"]
