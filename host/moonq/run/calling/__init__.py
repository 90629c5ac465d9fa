"""Calls of functions: their context, what is lent to scripts, where their writes go."""
