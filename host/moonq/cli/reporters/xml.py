"""XML that other programs read, and people on terminals."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, indent, tostring

from moonq import private
from moonq.text.plain import UNPRINTED

# What XML 1.0 cannot carry, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def save(path: Path, root: Element, kind: str = "") -> None:
    """Write *root* into the file *path*, below the declaration of its *kind* if it has one."""
    indent(root, "")
    private.folder(path.parent)
    text = f"<?xml version='1.0' encoding='UTF-8'?>\n{kind}{tostring(root, 'unicode')}\n"
    text = _FORBIDDEN.sub("\ufffd", text)
    # Whoever looks at the file on a terminal must not be painted at.
    text = UNPRINTED.sub(lambda found: f"&#{ord(found[0])};", text)
    private.save(path, text.encode())
