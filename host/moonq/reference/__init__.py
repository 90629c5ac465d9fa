"""The pages of the manual that the code writes: `make docs`.

    pages(checkout)            # {"entries.md": "# Entries\n…", …}
    write(checkout)            # all of them, into `manual/reference`

Nothing is said here that the code could say itself: fields describe themselves in their models, Lua
functions in their annotations, options in their help, error codes in `text.codes`.
"""

from __future__ import annotations

from pathlib import Path

from moonq import assets
from moonq.reference import (
    commands,
    console,
    documents,
    entries,
    environment,
    errors,
    lua,
    settings,
)

#: Where the pages lie, within the package.
FOLDER = assets.PACKAGE / "manual" / "reference"
_RECORDED = Path("tests/host/documents/recorded")


def pages(checkout: Path) -> dict[str, str]:
    """Return every page by its file's name; answers as JSON are recorded in the *checkout*."""
    return {
        "commands.md": commands.text(),
        "console.md": console.text(),
        "documents.md": documents.text(checkout / _RECORDED),
        "entries.md": entries.text(),
        "environment.md": environment.text(),
        "errors.md": errors.text(),
        "lua.md": lua.library(),
        "mq.md": lua.console(),
        "settings.md": settings.text(),
        "test.md": lua.tests(),
    }


def write(checkout: Path) -> None:
    """Write every page, and take away what is none any more."""
    FOLDER.mkdir(exist_ok=True)
    found = pages(checkout)
    for name, text in found.items():
        (FOLDER / name).write_text(text, "utf-8")
    for path in FOLDER.glob("*.md"):
        if path.name not in found:
            path.unlink()
