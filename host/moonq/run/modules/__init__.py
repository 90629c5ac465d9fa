"""Python modules that entries lend to scripts: read, loaded, called, and kept within bounds."""
