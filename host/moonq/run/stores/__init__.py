"""Values by key: what every store does, and each way to keep them."""
