"""What `.luarc.json` must say for an editor to know moonq's Lua; LuaLS and EmmyLua read it.

What a person wrote there stays: only settings that are missing are added, in front.
"""

from __future__ import annotations

from typing import Any

from moonq.editor.jsonc import Jsonc, Node, NotJson

FILE = ".luarc.json"
TYPES = ".moonq/types"
_LIBRARY = "workspace.library"
#: `package` stays: without it LuaLS does not know `require` either. `checkThirdParty` keeps LuaLS
#: from asking whether this is a game.
SETTINGS: dict[str, Any] = {
    "$schema": "https://raw.githubusercontent.com/LuaLS/vscode-lua/master/setting/schema.json",
    "runtime.version": "Lua 5.4",
    "runtime.path": ["?.lua", "?/init.lua"],
    "runtime.pathStrict": True,
    "runtime.builtin": {"io": "disable", "os": "disable", "debug": "disable"},
    _LIBRARY: [TYPES],
    "workspace.checkThirdParty": False,
    "workspace.ignoreDir": [".moonq/run", ".moonq/cache", ".moonq/trash"],
    "diagnostics.groupFileStatus": {"type-check": "Any", "strict": "Any"},
    "diagnostics.neededFileStatus": {"no-unknown": "None"},
    "diagnostics.libraryFiles": "Disable",
    "completion.callSnippet": "Replace",
}
#: Settings that are a map of things, of which a project may have set others.
_MAPS = ("runtime.builtin",)
#: Without these the types are not found, or what scripts do not have is not known.
NEEDED = ("runtime.version", "runtime.path", "runtime.pathStrict", "runtime.builtin", _LIBRARY)


def merged(text: str) -> str:
    """Return *text*, that of a `.luarc.json` or nothing, with what is missing of our settings.

    Raises:
        NotJson: It cannot be read.
    """
    if not text.strip():
        return Jsonc("{}").added(SETTINGS) + "\n"
    found = _known(Jsonc(text))
    missing = {name: SETTINGS[name] for name in NEEDED if name not in found}
    text = Jsonc(text).added(missing)
    for name in _MAPS:
        file = Jsonc(text)
        node = _known(file)[name]
        if isinstance(node.value, dict):
            lacks = {key: value for key, value in SETTINGS[name].items() if key not in node.value}
            text = file.added(lacks, node)
    return _with_types(text)


def _with_types(text: str) -> str:
    file = Jsonc(text)
    node = _known(file)[_LIBRARY]
    if isinstance(node.value, list):
        return text if TYPES in map(_plain, node.value) else file.appended(TYPES, node)
    if isinstance(node.value, dict):  # as older versions of LuaLS have it
        return text if TYPES in map(_plain, node.value) else file.added({TYPES: True}, node)
    raise NotJson(1)


def _plain(path: Any) -> str:
    """A folder of the workspace without the ways to say that it is one."""
    return str(path).removeprefix("${workspaceFolder}/").removeprefix("./").rstrip("/")


def _known(file: Jsonc) -> dict[str, Node]:
    """The settings by name; some people begin them with the name of the editor's extension."""
    return {name.removeprefix("Lua."): node for name, node in file.dotted().items()}
