"""What loading a project asks of a kind of entry; `moonq.kinds` has the table of them all.

`load` is handed that table: nothing else here knows which kinds there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field

from moonq.registry.common import Config
from moonq.registry.draft import Draft, Drafts
from moonq.registry.lua.syntax import Compile
from moonq.text.findings import Finding


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of entry: its name, the model of its fields, and what only it knows."""

    name: str
    model: type[Config]
    _: KW_ONLY
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names that people write, in lower case -> what each stands for, in words."""
    circle_help: str = ""
    """What ends a circle of such entries; `{0}` is the first of them, `{1}` the last."""
    compiles: Compile | None = None
    """What looks at the Lua text of its entries."""

    def implied(self, draft: Draft) -> str | None:
        """Return the id of an entry that *draft* brings along although it is not written down."""
        return None

    def finish(self, mine: Iterable[Draft], drafts: Drafts) -> list[Finding]:
        """Fill in what only the other entries know; return what does not fit together.

        Kinds finish in the order of their table, with all references known.
        """
        return []


Kinds = Mapping[str, Kind]
