"""Coverage in the form of Cobertura, which GitLab and Jenkins show beside the code."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, SubElement

from moonq import __version__
from moonq.cli.reporters import xml
from moonq.testing.coverage import FileCoverage, total

KIND = (
    "<!DOCTYPE coverage SYSTEM "
    "'https://raw.githubusercontent.com/cobertura/web/master/htdocs/xml/coverage-04.dtd'>\n"
)
#: Branches are not noted; the form wants them all the same.
_BRANCHES = {"branch-rate": "0", "complexity": "0"}


def write(path: Path, files: Sequence[FileCoverage]) -> None:
    """Write all *files*, a package for each folder; paths are those below this folder."""
    lines, hit, _ = total(files)
    root = Element(
        "coverage",
        {
            **_rate(files),
            "lines-covered": str(hit),
            "lines-valid": str(lines),
            "branches-covered": "0",
            "branches-valid": "0",
            "version": f"moonq {__version__}",
            "timestamp": str(int(time.time() * 1000)),
        },
    )
    SubElement(SubElement(root, "sources"), "source").text = str(Path.cwd())
    packages = SubElement(root, "packages")
    ordered = sorted(files, key=lambda one: (_folder(one), one.file))
    for name, inside in groupby(ordered, _folder):
        found = list(inside)
        package = SubElement(packages, "package", {"name": name, **_rate(found)})
        SubElement(package, "classes").extend(map(_class, found))
    xml.save(path, root, KIND)


def _folder(one: FileCoverage) -> str:
    return str(PurePosixPath(one.file).parent)


def _class(one: FileCoverage) -> Element:
    name = PurePosixPath(one.file).name
    found = Element("class", {"name": name, "filename": one.file, **_rate([one])})
    SubElement(found, "methods")
    lines = SubElement(found, "lines")
    for line in sorted(one.lines):
        hits = str(int(line in one.hit))
        SubElement(lines, "line", {"number": str(line), "hits": hits})
    return found


def _rate(files: Iterable[FileCoverage]) -> dict[str, str]:
    return {"line-rate": f"{total(files)[2] / 100:.4f}", **_BRANCHES}
