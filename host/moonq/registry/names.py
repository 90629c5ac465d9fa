"""Ids of entries as people write them: within its own namespace an entry's bare name will do.

full("orders", "app")            # "app:orders"
full("shop:orders", "app")       # "shop:orders"
likely("app:ordres", ids)        # ["app:orders"]
"""

from __future__ import annotations

from collections.abc import Collection

from moonq.text.suggestions import close


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
