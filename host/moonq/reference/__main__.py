"""`python -m moonq.reference`, in a checkout: `make docs`."""

from __future__ import annotations

from pathlib import Path

from moonq.reference import write

if __name__ == "__main__":
    write(Path.cwd())
