"""Lines that GitHub's runners show beside the code.

annotate(sys.stdout, "error", "no such kind", file="src/_index.yaml", line=6, title="R201")
# ::error file=src/_index.yaml,line=6,title=R201::no such kind
"""

from __future__ import annotations

from typing import TextIO

from moonq.cli.streams import bare
from moonq.text.plain import clean

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def annotate(to: TextIO, level: str, text: str, **properties: str | int) -> None:
    """Write one annotation: *level* is error, warning or notice; properties without value go."""
    told = ",".join(
        f"{name}={clean(str(value)).translate(_PROPERTY)}"
        for name, value in properties.items()
        if value
    )
    # The one line that a runner is to obey, so it goes round the door of the stream.
    bare(to).write(f"::{level} {told}::{text.translate(_DATA)}\n")
