"""Real servers for tests: each on a free port of the loopback, in a folder of its own."""
