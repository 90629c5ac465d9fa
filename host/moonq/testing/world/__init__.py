"""What is under test: a host without threads, in virtual time."""
