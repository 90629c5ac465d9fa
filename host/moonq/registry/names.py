"""Ids of entries as people write them: within its own namespace an entry's bare name will do.

full("orders", "app")            # "app:orders"
full("shop:orders", "app")       # "shop:orders"
likely("app:ordres", ids)        # ["app:orders"]
"""

from __future__ import annotations

from collections.abc import Collection

from moonq.errors import Ambiguous, NotFound
from moonq.text.suggestions import close, question


def full(written: str, namespace: str) -> str:
    """Return the id that *written* means in a file of *namespace*; without one it stays bare."""
    return written if not namespace or ":" in written else f"{namespace}:{written}"


def bare(id_: str) -> str:
    """Return the name behind the namespace."""
    return id_.rpartition(":")[2]


def likely(written: str, ids: Collection[str]) -> list[str]:
    """Return which of *ids* were probably meant: the same name elsewhere, else the most alike."""
    same = [id_ for id_ in ids if id_ != written and bare(id_) == bare(written)]
    if same:
        return sorted(same)
    return close(written, ids if ":" in written else [*map(bare, ids), *ids])


def meant(written: str, ids: Collection[str], where: str) -> str:
    """Return which of *ids*, those of the project *where*, somebody means who speaks from none.

    Raises:
        NotFound: None has that name, or several have.
    """
    if written in ids:
        return written
    same = [id_ for id_ in ids if bare(id_) == written]
    if len(same) == 1:
        return same[0]
    if same:
        raise Ambiguous(f"{written!r} is ambiguous: {', '.join(same)}", hint="write the full id")
    raise NotFound(
        f"no entry {written!r} in {where}",
        hint=question(likely(written, ids)[:3])
        or f"the project has {', '.join(sorted(ids)[:8]) or 'none'}",
    )
