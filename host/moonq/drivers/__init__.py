"""Adapters to whatever stores messages."""
