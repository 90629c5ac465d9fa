"""One side of moonq: makes, feeds, limits and closes Lua states. Only this package imports lupa."""
