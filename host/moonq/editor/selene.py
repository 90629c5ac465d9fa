"""What selene, a linter of Lua, must be told of the globals that scripts have."""

#: The standard library `moonq` is Lua's without what is not in the sandbox.
FILES = {
    "selene.toml": 'std = "moonq"\n',
    "moonq.yml": """\
base: lua54
globals:
  errors:
    any: true
  io:
    removed: true
  package:
    removed: true
  dofile:
    removed: true
  loadfile:
    removed: true
  os.execute:
    removed: true
  os.exit:
    removed: true
  os.getenv:
    removed: true
  os.remove:
    removed: true
  os.rename:
    removed: true
  os.setlocale:
    removed: true
  os.tmpname:
    removed: true
""",
}
