"""`queue.driver.sqlite` as an entry."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from moonq.drivers.entry import DriverFields, QueueOptions
from moonq.registry.fields import FilePath, Whole, between, wrong


def _is_a_file(path: str) -> str:
    if path == ":memory:" or path.startswith("file:") or path.endswith("/") or "\0" in path:
        raise wrong(
            f"`path` must name a file, not {path!r}",
            help="write a path such as `.moonq/queues.db`; memory is a queue.driver.memory",
        )
    return path


check_path = AfterValidator(_is_a_file)


class SqliteQueueOptions(QueueOptions):
    """What a queue may ask of the SQLite driver."""

    durable: Literal[True] = Field(True, description="Always true: the file is on the disk.")

    def own(self) -> dict[str, Any]:
        """Return nothing: whatever the file holds is durable."""
        return {}


class SqliteFields(DriverFields):
    """`queue.driver.sqlite`: messages live in one file of this machine."""

    example: ClassVar[str] = """\
name: file
kind: queue.driver.sqlite
path: .moonq/queues.db
"""

    queue_options: ClassVar[type[QueueOptions]] = SqliteQueueOptions

    path: Annotated[FilePath, check_path] = Field(
        ".moonq/queues.db", description="The file, seen from the project's folder."
    )
    durability: Literal["full", "normal"] = Field(
        "full", description="`normal` is faster; it survives a kill, but perhaps not a power cut."
    )
    ballast_mb: Annotated[Whole, between(0, 10_000)] = Field(
        16, description="Room in MiB that is kept for acknowledgements when the disk is full."
    )
    min_free_mb: Annotated[Whole, between(0, 1_000_000_000)] = Field(
        0, description="Publishes are refused while fewer MiB are free on the disk."
    )
