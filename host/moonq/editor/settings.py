"""What the settings of editors must say for them to know moonq's Lua.

`.luarc.json` is read by LuaLS and by EmmyLua, `.emmyrc.json` by EmmyLua alone. What a person wrote
in them stays: only what is missing is added, in front.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moonq.editor.jsonc import Jsonc, Node, NotJson

TYPES = ".moonq/types"
LUARC = ".luarc.json"
_LIBRARY = "workspace.library"
#: `package` stays, for without it LuaLS does not know `require` either; `checkThirdParty` keeps it
#: from asking whether this is a game.
_LUALS = {
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
#: `list[1]` is what it holds, and not perhaps nil.
_EMMYLUA = {"strict": {"arrayIndex": False}}
#: The settings by their files: all for a file that is new, and those that one needs which is there.
FILES: Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    LUARC: (
        _LUALS,
        ("runtime.version", "runtime.path", "runtime.pathStrict", "runtime.builtin", _LIBRARY),
    ),
    ".emmyrc.json": (_EMMYLUA, ("strict",)),
}


def merged(file: str, text: str) -> str:
    """Return *text*, that of the *file* or nothing, with what is missing of our settings.

    Raises:
        NotJson: It cannot be read.
    """
    settings, needed = FILES[file]
    if not text.strip():
        return Jsonc("{}").added(settings) + "\n"
    found = _known(Jsonc(text))
    text = Jsonc(text).added({name: settings[name] for name in needed if name not in found})
    for name in needed:
        text = _with(text, name, settings[name])
    return text


def _with(text: str, name: str, ours: Any) -> str:
    """A setting that holds several things, with ours among them."""
    file = Jsonc(text)
    node = _known(file)[name]
    if isinstance(ours, dict) and isinstance(node.value, dict):
        return file.added({key: one for key, one in ours.items() if key not in node.value}, node)
    if name != _LIBRARY:
        return text
    if not isinstance(node.value, list | dict):
        raise NotJson(f"`{_LIBRARY}` is no list")
    if TYPES in map(_plain, node.value):
        return text
    # Older versions of LuaLS have a map of folders there.
    is_list = isinstance(node.value, list)
    return file.appended(TYPES, node) if is_list else file.added({TYPES: True}, node)


def _plain(path: Any) -> str:
    """A folder of the workspace without the ways to say that it is one."""
    return str(path).removeprefix("${workspaceFolder}/").removeprefix("./").rstrip("/")


def _known(file: Jsonc) -> dict[str, Node]:
    """The settings by name; some people begin them with the name of the editor's extension."""
    return {name.removeprefix("Lua."): node for name, node in file.dotted().items()}
