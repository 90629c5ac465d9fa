"""What begins with a backslash."""
