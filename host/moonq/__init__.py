"""moonq: a Lua-first queue host."""

__version__ = "0.1.0"

__all__ = ["__version__"]
