"""The kinds of entries, one file each: its model, its service, and what a reload does with it.

    from moonq import kinds
    project = kinds.load(Path("shop"))          # raises ProjectInvalid with every finding

To add a kind, add a file and a line here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from moonq import registry
from moonq.kinds import (
    consumer,
    data,
    driver,
    function,
    library,
    policy,
    queue,
    store,
    variable,
)
from moonq.registry import Project
from moonq.registry.kind import Kind
from moonq.text.findings import Finding

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        *driver.KINDS,
        queue.KIND,
        consumer.KIND,
        function.KIND,
        library.KIND,
        policy.KIND,
        store.KIND,
        variable.KIND,
        data.KIND,
    )
}


def load(path: Path, *, env: Mapping[str, str] = os.environ) -> Project:
    """Return the project at *path*: a folder, or a single YAML file.

    Raises:
        ProjectInvalid: Carries everything that is wrong.
    """
    return registry.load(path, KINDS, env=env)


def inspect(
    path: Path, *, env: Mapping[str, str] = os.environ
) -> tuple[Project | None, list[Finding]]:
    """Return the project at *path*, or None if it has errors, with all findings and warnings."""
    return registry.inspect(path, KINDS, env=env)
