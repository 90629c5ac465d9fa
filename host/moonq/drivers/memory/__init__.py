"""The driver that keeps messages in this process."""
