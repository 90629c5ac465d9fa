"""The driver that keeps messages in a Redis or Valkey server, for many hosts."""
