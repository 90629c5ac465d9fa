"""YAML both ways, as the registry reads it: 1.2, one document, no tags, no merge keys."""

from __future__ import annotations

import json
import math
from typing import Any

import yaml as pyyaml

from moonq.errors import Invalid
from moonq.registry.yaml.plain import Wrong, plain
from moonq.registry.yaml.scalars import as_written
from moonq.run.calling.lending import Caller, lent
from moonq.text.findings import Finding

#: Bytes of a text either way; the reader bounds depth and what aliases expand to.
LONGEST = 256 * 1024


@lent(action=None, writes=False, waits=False)
def yaml_decode(caller: Caller, document: bytes) -> bytes:
    """Return the value of a YAML document as JSON."""
    _check_length("yaml.decode", document)
    try:
        value = plain("text", document)
    except Wrong as wrong:
        raise Invalid(_words(wrong.finding)) from None
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise Invalid("yaml.decode: `.inf` and `.nan` are no values of JSON") from None


@lent(action=None, writes=False, waits=False)
def yaml_encode(caller: Caller, value: bytes) -> bytes:
    """Return a value, given as JSON, as a YAML document."""
    _check_length("yaml.encode", value)
    found = json.loads(value)
    written = pyyaml.dump(found, Dumper=_Writer, allow_unicode=True, sort_keys=True, width=math.inf)
    return str(written).removesuffix("...\n").encode()


def _check_length(where: str, document: bytes) -> None:
    if len(document) > LONGEST:
        raise Invalid(f"{where}: the text has {len(document)} bytes, more than {LONGEST}")


def _words(finding: Finding) -> str:
    span = finding.spans[0] if finding.spans else None
    where = f"line {span.line}, column {span.column}: " if span and span.column else ""
    return f"yaml.decode: {where}{finding.message}"


class _Writer(pyyaml.SafeDumper):
    """Writes texts in quotes wherever they would be read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write out what comes twice."""
        return True


def _write_text(writer: _Writer, value: str) -> pyyaml.Node:
    style = "|" if "\n" in value and _fits_block(value) else '"'
    if as_written(value) == value:
        style = ""
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _fits_block(value: str) -> bool:
    """Whether a block can hold it as it is."""
    lines = value.split("\n")
    return value.isprintable() or all(
        line.isprintable() and not line.endswith(" ") and not line.startswith(" ") for line in lines
    )


_Writer.add_representer(str, _write_text)
