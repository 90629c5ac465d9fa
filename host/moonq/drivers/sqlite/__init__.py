"""The driver that keeps messages in one file."""
