"""Reads the Lua text of functions and libraries, and checks it without running it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moonq.registry.draft import Draft, Drafts
from moonq.registry.fields import as_env
from moonq.registry.kind import Kinds
from moonq.registry.lua import exports, requires, syntax
from moonq.registry.lua.text import LuaText
from moonq.registry.script import Runnable, Script
from moonq.registry.yaml.nodes import Scalar
from moonq.text.findings import Finding, error
from moonq.text.suggestions import close, question

FILE = "file://"
BOM = b"\xef\xbb\xbf"


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


class _Reader:
    """Reads each file once, however many entries share it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.findings: list[Finding] = []
        self.files: dict[Path, LuaText] = {}
        self.broken: dict[bytes, bool] = {}

    def text(self, draft: Draft, script: Script) -> LuaText | None:
        node = draft.node.get("source")
        assert isinstance(node, Scalar)
        if script.source.startswith(FILE):
            return self._file(draft, script.source.removeprefix(FILE))
        if "://" in script.source.partition("\n")[0].partition(" ")[0] or _looks_like_path(script):
            self._add(
                "P120",
                "`source` must be `file://` and a path, or Lua text",
                draft,
                help=f"write `file://{script.source.rpartition('//')[2].strip()}`",
            )
            return None
        # Empty lines in front make Lua's line numbers those of the YAML file.
        lines = b"\n" * (node.content_line - 1)
        return LuaText(lines + script.source.encode("utf-8", "replace"), draft.source_of(node))

    def _file(self, draft: Draft, written: str) -> LuaText | None:
        try:
            folder = (self.root / _file_of(draft)).parent
            path = (folder / written).resolve()
            inside = path.is_relative_to(self.root.resolve())
            exists = inside and path.is_file()
        except (OSError, ValueError):
            inside, exists = True, False
        if not inside:
            self._add(
                "P121",
                "a source must lie inside the project",
                draft,
                label="this leads outside",
                help=f"move the file below {self.root.name or 'the project'}",
            )
        elif not exists:
            self._missing(draft, folder, written)
        else:
            return self._read(draft, path)
        return None

    def _read(self, draft: Draft, path: Path) -> LuaText | None:
        if path not in self.files:
            try:
                data = path.read_bytes().removeprefix(BOM)
            except OSError as problem:
                reason = (problem.strerror or "unknown error").lower()
                self._add("P120", f"the source cannot be read: {reason}", draft)
                return None
            name = path.relative_to(self.root.resolve()).as_posix()
            self.files[path] = LuaText.of_file(name, data)
        return self.files[path]

    def _missing(self, draft: Draft, folder: Path, written: str) -> None:
        looked = Path(_file_of(draft)).parent / written
        try:
            here = [item.name for item in folder.glob("*.lua")]
        except OSError:
            here = []
        head, slash, tail = written.rpartition("/")
        near = [f"{FILE}{head}{slash}{name}" for name in close(tail, here)]
        self._add(
            "P120",
            "source file not found",
            draft,
            label=f"looked for {looked.as_posix()}",
            help=question(near) or _spelt(written, looked),
        )

    def is_broken(self, text: LuaText, compiles: syntax.Compile | None) -> bool:
        """Check the syntax of *text*, and say so once for all entries that share it."""
        if text.data not in self.broken:
            finding = syntax.check(text, compiles) if compiles else None
            self.broken[text.data] = finding is not None
            if finding:
                self.findings.append(finding)
        return self.broken[text.data]

    def _add(self, code: str, message: str, draft: Draft, label: str = "", **more: Any) -> None:
        span = draft.span_of("source", label=label)
        self.findings.append(error(code, message, span, **more))


def _file_of(draft: Draft) -> str:
    """The YAML file that names the text; paths are seen from there."""
    return draft.source_of(draft.node.get("source")).file


def _looks_like_path(script: Script) -> bool:
    text = script.source.strip()
    return text.endswith(".lua") and not any(char.isspace() for char in text)


def _spelt(written: str, looked: Path) -> str:
    named = as_env(written)
    if named != written:
        return f"write `{FILE}{named}`"
    return f"create {looked.as_posix()}, or correct the path"
