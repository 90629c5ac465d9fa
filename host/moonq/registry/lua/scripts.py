"""Reads the Lua text of functions and libraries, and checks it without running it."""

from __future__ import annotations

from pathlib import Path

from moonq.registry.draft import Draft, Drafts
from moonq.registry.kind import Kinds
from moonq.registry.lua import exports, requires, syntax
from moonq.registry.lua.text import LuaText
from moonq.registry.script import Runnable, Script
from moonq.registry.sources import BOM, FILE, Sources
from moonq.registry.yaml.nodes import Scalar
from moonq.text.findings import Finding


def read(drafts: Drafts, kinds: Kinds, root: Path) -> list[Finding]:
    """Give every script its text; return what is missing, and what is no Lua."""
    reader = _Reader(root)
    for draft in drafts.values():
        script = draft.fields
        if isinstance(script, Script) and "source" in script.model_fields_set:
            text = reader.text(draft, script)
            if text:
                draft.script = text
                if not reader.is_broken(text, kinds[draft.kind].compiles):
                    reader.findings += requires.check(draft, script, text, drafts)
                    if isinstance(script, Runnable):
                        reader.findings += exports.check(draft, script, text)
    return reader.findings


def file_text(path: Path, shown: str) -> LuaText | None:
    """Return the text of a Lua file that people know as *shown*; None if it cannot be read."""
    try:
        return LuaText.of_file(shown, path.read_bytes().removeprefix(BOM))
    except OSError:
        return None


class _Reader(Sources):
    """Reads each text once, and checks it once."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, ".lua")
        self.broken: dict[bytes, bool] = {}

    def text(self, draft: Draft, script: Script) -> LuaText | None:
        node = draft.node.get("source")
        assert isinstance(node, Scalar)
        if script.source.startswith(FILE):
            return self.file(draft, script.source.removeprefix(FILE))
        if "://" in script.source.partition("\n")[0].partition(" ")[0] or _looks_like_path(script):
            self.add(
                "P120",
                "`source` must be `file://` and a path, or Lua text",
                draft,
                help=f"write `file://{script.source.rpartition('//')[2].strip()}`",
            )
            return None
        # Empty lines in front make Lua's line numbers those of the YAML file.
        lines = b"\n" * (node.content_line - 1)
        return LuaText(lines + script.source.encode("utf-8", "replace"), draft.source_of(node))

    def is_broken(self, text: LuaText, compiles: syntax.Compile | None) -> bool:
        """Check the syntax of *text*, and say so once for all entries that share it."""
        if text.data not in self.broken:
            finding = syntax.check(text, compiles) if compiles else None
            self.broken[text.data] = finding is not None
            if finding:
                self.findings.append(finding)
        return self.broken[text.data]


def _looks_like_path(script: Script) -> bool:
    text = script.source.strip()
    return text.endswith(".lua") and not any(char.isspace() for char in text)
