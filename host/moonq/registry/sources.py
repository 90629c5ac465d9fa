"""The files that `source: file://…` names, each read once, however many entries share it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moonq.registry.draft import Draft
from moonq.registry.fields import as_env
from moonq.registry.lua.text import LuaText
from moonq.text.findings import Finding, error
from moonq.text.suggestions import close, question

FILE = "file://"
BOM = b"\xef\xbb\xbf"


class Sources:
    """Files whose names end with *suffix*, below the project at *root*."""

    def __init__(self, root: Path, suffix: str) -> None:
        self.root = root
        self.findings: list[Finding] = []
        self._suffix = suffix
        self._files: dict[Path, LuaText] = {}

    def file(self, draft: Draft, written: str) -> LuaText | None:
        """Return the text of the file that *draft* calls *written*, None with a finding."""
        try:
            folder = (self.root / file_of(draft)).parent
            path = (folder / written).resolve()
            inside = path.is_relative_to(self.root.resolve())
            exists = inside and path.is_file()
        except (OSError, ValueError):
            inside, exists = True, False
        if not inside:
            self.add(
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
        if path not in self._files:
            try:
                data = path.read_bytes().removeprefix(BOM)
            except OSError as problem:
                reason = (problem.strerror or "unknown error").lower()
                self.add("P120", f"the source cannot be read: {reason}", draft)
                return None
            name = path.relative_to(self.root.resolve()).as_posix()
            self._files[path] = LuaText.of_file(name, data)
        return self._files[path]

    def _missing(self, draft: Draft, folder: Path, written: str) -> None:
        looked = Path(file_of(draft)).parent / written
        try:
            here = [item.name for item in folder.glob(f"*{self._suffix}")]
        except OSError:
            here = []
        head, slash, tail = written.rpartition("/")
        near = [f"{FILE}{head}{slash}{name}" for name in close(tail, here)]
        self.add(
            "P120",
            "source file not found",
            draft,
            label=f"looked for {looked.as_posix()}",
            help=question(near) or _spelt(written, looked),
        )

    def add(self, code: str, message: str, draft: Draft, label: str = "", **more: Any) -> None:
        """Say what is wrong with the `source` of *draft*."""
        span = draft.span_of("source", label=label)
        self.findings.append(error(code, message, span, **more))


def file_of(draft: Draft) -> str:
    """Return the YAML file that names the text; paths are seen from there."""
    return draft.source_of(draft.node.get("source")).file


def _spelt(written: str, looked: Path) -> str:
    named = as_env(written)
    if named != written:
        return f"write `{FILE}{named}`"
    return f"create {looked.as_posix()}, or correct the path"
